with
customers as (select * from {{ ref('int_customers_resolved') }}),
orders as (select * from {{ ref('stg_erp__orders') }}),
matches as (select * from {{ ref('int_accounts_matched') }}),
activities as (select * from {{ ref('int_activities_counted') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

choices as (
    select
        customers.survivor_id as customer_id,
        'channel' as preference,
        orders.channel as choice,
        orders.order_date as day
    from orders
    inner join customers on orders.customer_id = customers.customer_id
    where orders.channel is not null

    union all

    select
        matches.customer_id,
        'contact' as preference,
        activities.activity_kind as choice,
        activities.took_place_date as day
    from activities
    inner join matches on activities.account_id = matches.account_id
    where matches.customer_id is not null
),

counted as (
    select
        choices.customer_id,
        choices.preference,
        choices.choice,
        max(choices.day) as last_date,
        count(*) as times
    from choices
    inner join policy
        on
            choices.day > policy.window_start_date
            and choices.day <= policy.business_date
    group by choices.customer_id, choices.preference, choices.choice
),

compared as (
    select
        *,
        max(times) over (partition by customer_id, preference) as most_times
    from counted
),

measured as (
    select
        customer_id,
        cast(sum(case
            when preference = 'contact' then times else 0
        end) as integer) as contacts_12m,
        min(case
            when preference = 'channel' and times = most_times then choice
        end) as preferred_channel,
        min(case
            when preference = 'contact' and times = most_times then choice
        end) as preferred_contact,
        max(case when preference = 'contact' then last_date end) as last_contact_date
    from compared
    group by customer_id
)

select * from measured
