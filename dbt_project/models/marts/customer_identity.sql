with
customers as (select * from {{ ref('int_customers_resolved') }}),
listed as (select * from {{ ref('stg_erp__customers') }}),
accounts as (select * from {{ ref('stg_crm__accounts') }}),
matches as (select * from {{ ref('int_accounts_matched') }}),
customer_keys as (select * from {{ ref('stg_ops__customer_keys') }}),

{# A number that replaced another one goes on with its key: the first that there was. #}
former_keys as (
    select
        renumberings.customer_id,
        min(customer_keys.customer_key) as customer_key
    from {{ ref('stg_ops__renumberings') }} as renumberings
    inner join customer_keys
        on
            customer_keys.source_system = 'erp'
            and renumberings.former_customer_id = customer_keys.record_id
    group by renumberings.customer_id
),

records as (
    select
        'erp' as source_system,
        customers.customer_id as record_id,
        coalesce(listed.customer_name, customers.customer_id) as record_name,
        customers.survivor_id as customer_id,
        case
            when customers.survivor_id = customers.customer_id then 'itself'
            when listed.merged_into_id is not null then 'merged_by_erp'
            else 'decision'
        end as match_rule,
        cast(1 as numeric(5, 4)) as confidence
    from customers
    left join listed on customers.customer_id = listed.customer_id

    union all

    select
        'crm' as source_system,
        accounts.account_id as record_id,
        accounts.account_name as record_name,
        matches.customer_id,
        matches.match_rule,
        matches.confidence
    from accounts
    inner join matches on accounts.account_id = matches.account_id
),

keyed as (
    select
        {{ business_date() }} as business_date,
        records.source_system,
        records.record_id,
        records.record_name,
        own_keys.customer_key as record_key,
        records.customer_id,
        survivors.customer_name,
        records.match_rule,
        records.confidence,
        case
            when records.customer_id is null then own_keys.customer_key
            else coalesce(former_keys.customer_key, their_keys.customer_key)
        end as customer_key
    from records
    left join customer_keys as own_keys
        on
            records.source_system = own_keys.source_system
            and records.record_id = own_keys.record_id
    left join customer_keys as their_keys
        on
            their_keys.source_system = 'erp'
            and records.customer_id = their_keys.record_id
    left join former_keys on records.customer_id = former_keys.customer_id
    left join customers as survivors on records.customer_id = survivors.customer_id
)

select * from keyed
