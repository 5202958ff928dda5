{%- set components = [
    'tenure', 'regularity', 'retention', 'breadth', 'satisfaction', 'payment',
    'cooperation', 'referrals'
] -%}
with
policy as (select * from {{ ref('int_policies_selected') }}),
loyalty_weights as (
    {{ newest_rows(ref('loyalty_weights'), ['policy_id', 'component'], business_date()) }}
),

selected as (
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
    inner join policy on loyalty_weights.policy_id = policy.policy_id
)

select * from selected
