"""The words of the trade: frozen values, standard library only."""
