with
service_days as (select * from {{ ref('int_services_aggregated_to_days') }}),
accounts as (select * from {{ ref('int_accounts_matched') }}),
customers as (select * from {{ ref('int_orders_aggregated_to_customers') }}),
opportunities as (select * from {{ ref('stg_crm__opportunities') }}),
first_bought as (select * from {{ ref('int_categories_begun') }}),

rules as (
    {{ rows_in_force(ref('activity_rules')) }}
),

served as (
    select
        service_days.account_id,
        service_days.day,
        accounts.customer_id,
        customers.first_sale_date
    from service_days
    inner join accounts on service_days.account_id = accounts.account_id
    left join customers on accounts.customer_id = customers.customer_id
    where
        accounts.customer_id is not null
        and service_days.day <= {{ business_date() }}
),

{# Work on something new: an opportunity that was open, or a category just begun with. #}
developing as (
    select
        served.account_id,
        served.day
    from served
    inner join opportunities
        on
            served.account_id = opportunities.account_id
            and served.day >= coalesce(opportunities.opened_date, served.day)
            and served.day <= coalesce(opportunities.closed_date, served.day)

    union

    select
        served.account_id,
        served.day
    from served
    cross join rules
    inner join first_bought
        on
            served.customer_id = first_bought.customer_id
            and served.first_sale_date < first_bought.first_sale_date
            and served.day >= first_bought.first_sale_date
            and served.day
            < {{ days_after('rules.development_days', 'first_bought.first_sale_date') }}
),

found as (
    select
        served.account_id,
        served.day,
        case
            when served.day < coalesce(served.first_sale_date, cast('9999-12-31' as date))
                then 'acquisition'
            when developing.account_id is not null then 'development'
            else 'retention'
        end as purpose
    from served
    left join developing
        on
            served.account_id = developing.account_id
            and served.day = developing.day
)

select * from found
