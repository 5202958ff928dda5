"""How a business system is read: a folder of SELECTs, over a database or over files."""
