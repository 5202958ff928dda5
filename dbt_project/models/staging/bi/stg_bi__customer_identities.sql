-- {{ source('bi', 'customer_identity') }} is absent before the first night
with
customer_identities as (
    {{ published_or_empty('customer_identity', {
        'source_system': 'text',
        'record_id': 'text',
        'customer_id': 'text',
    }) }}
)

select *
from customer_identities
where source_system = 'erp'
