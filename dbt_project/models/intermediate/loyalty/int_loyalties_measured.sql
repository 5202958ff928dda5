with
customers as (select * from {{ ref('int_orders_aggregated_to_customers') }}),
purchases as (select * from {{ ref('int_purchases_measured') }}),
breadths as (select * from {{ ref('int_breadths_measured') }}),
satisfactions as (select * from {{ ref('int_satisfactions_measured') }}),
payments as (select * from {{ ref('int_payments_measured') }}),
cooperations as (select * from {{ ref('int_cooperations_measured') }}),
referrals as (select * from {{ ref('int_referrals_measured') }}),

measured as (
    select
        customers.customer_id,
        customers.first_sale_date,
        customers.last_sale_date,
        customers.orders,
        purchases.tenure_months,
        purchases.regularity,
        purchases.retention,
        breadths.breadth,
        satisfactions.satisfaction,
        satisfactions.word_of_mouth,
        payments.payment,
        cooperations.cooperation,
        referrals.referrals,
        referrals.referred_amount_12m
    from customers
    left join purchases on customers.customer_id = purchases.customer_id
    left join breadths on customers.customer_id = breadths.customer_id
    left join satisfactions on customers.customer_id = satisfactions.customer_id
    left join payments on customers.customer_id = payments.customer_id
    left join cooperations on customers.customer_id = cooperations.customer_id
    left join referrals on customers.customer_id = referrals.customer_id
)

select * from measured
