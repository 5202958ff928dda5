{%- set last_day_in_time = days_after('-due.overdue_days', 'due.loss_date') -%}
with
customers as (select * from {{ ref('int_orders_aggregated_to_customers') }}),
activities as (select * from {{ ref('int_activities_counted') }}),
matches as (select * from {{ ref('int_accounts_matched') }}),

rules as (
    {{ rows_in_force(ref('activity_rules')) }}
),

{# Before anybody logged contacts, nobody knows of one that was missed. #}
logged as (
    select min(took_place_date) as logged_since
    from activities
),

{# A customer who does not come back is lost on the day on which its next order was due:
   after its usual interval, or with one order at once. #}
due as (
    select
        customers.customer_id,
        rules.overdue_days,
        logged.logged_since,
        least(
            {{ business_date() }},
            {{ days_after(
                'cast(coalesce('
                ~ dbt.datediff('customers.first_sale_date', 'customers.last_sale_date', 'day')
                ~ ' / nullif(customers.orders - 1, 0), 0) as integer)',
                'customers.last_sale_date'
            ) }}
        ) as loss_date
    from customers
    cross join rules
    cross join logged
),

contacted as (
    select
        due.customer_id,
        max(activities.took_place_date) as last_contact_date
    from due
    inner join matches on due.customer_id = matches.customer_id
    inner join activities
        on
            matches.account_id = activities.account_id
            and due.loss_date >= activities.took_place_date
    group by due.customer_id
),

judged as (
    select
        due.customer_id,
        due.loss_date,
        contacted.last_contact_date,
        case
            when due.logged_since <= {{ last_day_in_time }}
                then coalesce(contacted.last_contact_date < {{ last_day_in_time }}, true)
        end as is_contact_overdue
    from due
    left join contacted on due.customer_id = contacted.customer_id
)

select * from judged
