-- {{ source('bi', 'policy') }} is absent before the first night
with
policies as (
    {{ published_or_empty('policy', {
        'business_date': 'date',
        'policy_id': 'text',
        'policy_version': 'text',
        'seed': 'text',
        'row_key': 'text',
        'row_values': 'text',
    }) }}
),

earlier as (
    select
        *,
        max(business_date) over () as last_night
    from policies
    where business_date < {{ business_date() }}
)

select * from earlier
