-- {{ source('bi', 'tier_change') }} is absent before the first night
with

tier_changes as (

    {{ published_or_empty('tier_change', {
        'business_date': 'date',
        'customer_id': 'text',
        'policy_id': 'text',
        'direction': 'text',
        'cause': 'text',
    }) }}

),

earlier_changes as (

    select *
    from tier_changes
    where business_date < {{ business_date() }}

)

select * from earlier_changes
