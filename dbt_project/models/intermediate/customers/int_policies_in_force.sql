with
policies as (
    select
        *,
        {{ business_date() }} as business_date,
        {{ leads('tier_policies') }} as is_leading
    from {{ ref('int_policies_dated') }} as tier_policies
),

{# The latest one leads. #}
newest as (
    select max(valid_from) as valid_from
    from policies
    where
        is_leading
        and valid_from <= business_date
),

in_force as (
    select
        policies.policy_id,
        policies.business_date,
        policies.measured_as,
        policies.minimum_tenure_months,
        policies.minimum_orders,
        policies.minimum_customers_ranked,
        policies.confirm_up_nights,
        policies.confirm_down_nights,
        policies.dwell_days,
        policies.steps_down,
        policies.minimum_data_confidence,
        case when policies.is_leading then 'leading' else 'beside' end as role
    from policies
    inner join newest
        on
            not policies.is_leading
            or policies.valid_from = newest.valid_from
    where
        (policies.is_leading or policies.role = 'beside')
        and policies.valid_from <= policies.business_date
)

select * from in_force
