"""What this project adds to Airflow itself; the loader of plugins imports this file."""

from airflow.plugins_manager import AirflowPlugin

from customer_tiers import warm_start


class CustomerTiersPlugin(AirflowPlugin):
    """Registers the listener that warms the scheduler up."""

    name = "customer_tiers"
    listeners = [warm_start]  # noqa: RUF012 (Airflow's own attribute)
