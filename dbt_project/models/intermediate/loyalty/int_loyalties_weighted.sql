{%- set components = [
    'tenure', 'regularity', 'retention', 'breadth', 'satisfaction', 'payment'
] -%}
with

customers as (

    select * from {{ ref('int_orders_aggregated_to_customers') }}

),

purchases as (

    select * from {{ ref('int_purchases_measured') }}

),

breadths as (

    select * from {{ ref('int_breadths_measured') }}

),

satisfactions as (

    select * from {{ ref('int_satisfactions_measured') }}

),

payments as (

    select * from {{ ref('int_payments_measured') }}

),

policy as (

    select * from {{ ref('int_policies_selected') }}

),

loyalty_weights as (

    select * from {{ ref('loyalty_weights') }}

),

weights as (

    select
        {% for component in components -%}
            max(case
                when loyalty_weights.component = '{{ component }}'
                    then loyalty_weights.weight
            end) as {{ component }}_weight,
        {% endfor -%}
        max(case
            when loyalty_weights.component = 'tenure'
                then loyalty_weights.full_at
        end) as full_tenure_months

    from loyalty_weights

    inner join policy
        on loyalty_weights.policy_id = policy.policy_id

),

measured as (

    select
        customers.customer_id,
        customers.first_sale_date,
        customers.last_sale_date,
        customers.orders,
        purchases.tenure_months,
        cast(
            least(1, purchases.tenure_months / weights.full_tenure_months)
            as numeric(7, 6)
        ) as tenure,
        purchases.regularity,
        purchases.retention,
        breadths.breadth,
        satisfactions.satisfaction,
        payments.payment,
        customers.orders >= policy.loyalty_minimum_orders as is_measured

    from customers

    cross join policy

    cross join weights

    left join purchases
        on customers.customer_id = purchases.customer_id

    left join breadths
        on customers.customer_id = breadths.customer_id

    left join satisfactions
        on customers.customer_id = satisfactions.customer_id

    left join payments
        on customers.customer_id = payments.customer_id

),

{# Parts without data give their weight to the others. #}
weighed as (

    select
        measured.*,
        {% for component in components -%}
            coalesce(measured.{{ component }} * weights.{{ component }}_weight, 0)
            {{- ' +' if not loop.last }}
        {% endfor -%}
            as weighted_sum,
        {% for component in components -%}
            case
                when measured.{{ component }} is null then 0
                else weights.{{ component }}_weight
            end
            {{- ' +' if not loop.last }}
        {% endfor -%}
            as weight_present

    from measured

    cross join weights

),

indexed as (

    select
        *,
        cast(weight_present as numeric(5, 4)) as loyalty_completeness,
        case
            when is_measured
                then cast(
                    100 * weighted_sum / nullif(weight_present, 0) as numeric(7, 4)
                )
        end as loyalty_index

    from weighed

)

select * from indexed
