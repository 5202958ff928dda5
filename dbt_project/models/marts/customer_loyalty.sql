with
loyalties as (select * from {{ ref('int_loyalties_weighted') }}),
stickiness as (select * from {{ ref('int_stickiness_weighted') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

typed as (
    select
        loyalties.customer_id,
        policy.business_date,
        loyalties.first_sale_date,
        loyalties.last_sale_date,
        loyalties.orders,
        loyalties.tenure_months,
        {% for component in [
            'tenure', 'regularity', 'retention', 'breadth', 'satisfaction', 'payment',
            'cooperation', 'referrals'
        ] -%}
            cast(loyalties.{{ component }} as numeric(7, 6)) as {{ component }},
        {% endfor -%}
        cast(100 * loyalties.word_of_mouth as numeric(7, 4)) as wom_score,
        cast(loyalties.referred_amount_12m as numeric(24, 6)) as referred_amount_12m,
        loyalties.loyalty_index,
        loyalties.loyalty_completeness,
        stickiness.price_acceptance,
        stickiness.products_held,
        stickiness.contract_months,
        stickiness.stickiness,
        stickiness.stickiness_completeness
    from loyalties
    inner join stickiness on loyalties.customer_id = stickiness.customer_id
    cross join policy
)

select * from typed
