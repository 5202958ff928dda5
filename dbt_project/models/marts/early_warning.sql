with
warnings as (select * from {{ ref('int_warnings_raised') }}),
causes as (select * from {{ ref('int_warnings_explained') }}),
customers as (select * from {{ ref('int_customers_described') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

joined as (
    select
        policy.business_date,
        warnings.customer_id,
        customers.customer_name,
        customers.owner_id,
        warnings.signal,
        warnings.since,
        warnings.strength,
        cast(warnings.baseline_value as numeric(18, 4)) as baseline_value,
        cast(warnings.current_value as numeric(18, 4)) as current_value,
        warnings.value_unit,
        warnings.subject,
        warnings.subject_date,
        warnings.amount_at_risk,
        causes.cause_code
    from warnings
    cross join policy
    inner join causes on warnings.customer_id = causes.customer_id
    left join customers on warnings.customer_id = customers.customer_id
)

select * from joined
