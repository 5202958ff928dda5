with

policies as (

    select
        *,
        {{ business_date() }} as business_date

    from {{ ref('tier_policies') }}

),

in_force as (

    select max(valid_from) as valid_from
    from policies
    where valid_from <= business_date

),

latest as (

    select policies.*
    from policies

    inner join in_force
        on policies.valid_from = in_force.valid_from

),

dated as (

    select
        policy_id,
        business_date,
        minimum_orders,
        minimum_customers_ranked,
        loyalty_minimum_orders,
        {{ months_before('window_months', 'business_date') }}
            as window_start_date,
        {{ months_before('2 * window_months', 'business_date') }}
            as window_before_start_date,
        {{ months_before('minimum_tenure_months', 'business_date') }}
            as latest_first_sale_date,
        {{ months_before('loyalty_months', 'business_date') }}
            as loyalty_start_date

    from latest

)

select * from dated
