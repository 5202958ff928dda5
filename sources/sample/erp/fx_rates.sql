select
    currency_code as currency,
    valid_from,
    eur_per_unit as rate,
    changed_at as updated_at
from exchange_rate
