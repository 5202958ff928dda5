-- {{ source('bi', 'window_rate') }} is absent before the first night
with
window_rates as (
    {{ published_or_empty('window_rate', {
        'business_date': 'date',
        'currency': 'text',
        'window_rate': 'numeric(24, 12)',
    }) }}
)

select *
from window_rates
where business_date < {{ business_date() }}
