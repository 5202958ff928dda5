{%- set components = [
    'tenure', 'regularity', 'retention', 'breadth', 'satisfaction', 'payment',
    'cooperation', 'referrals'
] -%}
with
loyalties as (select * from {{ ref('int_loyalties_measured') }}),
policy as (select * from {{ ref('int_policies_selected') }}),
weights as (select * from {{ ref('int_loyalty_weights_selected') }}),

measured as (
    select
        loyalties.*,
        cast(
            least(1, loyalties.tenure_months / weights.full_tenure_months)
            as numeric(7, 6)
        ) as tenure,
        loyalties.orders >= policy.loyalty_minimum_orders as is_measured
    from loyalties
    cross join policy
    cross join weights
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
                else coalesce(weights.{{ component }}_weight, 0)
            end
            {{- ' +' if not loop.last }}
        {% endfor -%}
            as weight_present
    from measured
    cross join weights
),

indexed as (
    select
        customer_id,
        first_sale_date,
        last_sale_date,
        orders,
        tenure_months,
        word_of_mouth,
        referred_amount_12m,
        {% for component in components -%}
            {{ component }},
        {% endfor -%}
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
