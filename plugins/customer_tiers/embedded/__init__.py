"""The services that come with the project: PostgreSQL, mail sink, Airflow, all on this machine."""
