"""Everything that must survive a crash, in one database: SQLite or PostgreSQL."""
