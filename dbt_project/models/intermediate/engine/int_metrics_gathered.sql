{#- What a policy may judge by: measured tonight, or in a replay as the receipts say. -#}
{% if is_replay() -%}
    with

    receipts as (
        select
            business_date,
            customer_id,
            {{ (kept_metrics() + kept_or_earlier()) | join(',\n        ') }}
        from {{ published_table('tier_decision') }}
        where business_date between {{ replay_from() }} and {{ replay_to() }}
    )

    select * from receipts
{%- else -%}
    with

    customers as (select * from {{ ref('int_orders_aggregated_to_customers') }}),

    contributions as (select * from {{ ref('int_contributions_aggregated_to_windows') }}),

    loyalties as (select * from {{ ref('int_loyalties_weighted') }}),

    risks as (select * from {{ ref('int_risks_flagged') }}),

    mergers as (select * from {{ ref('int_mergers_found') }}),

    confidences as (select * from {{ ref('int_confidences_measured') }}),

    gathered as (
        select
            contributions.*,
            customers.first_sale_date,
            customers.orders,
            customers.orders_12m,
            loyalties.loyalty_index,
            risks.risk_flag,
            confidences.data_confidence,
            {{ business_date() }} as business_date,
            mergers.customer_id is not null as is_merged
        from contributions
        inner join customers on contributions.customer_id = customers.customer_id
        left join loyalties on contributions.customer_id = loyalties.customer_id
        left join risks on contributions.customer_id = risks.customer_id
        left join mergers on contributions.customer_id = mergers.customer_id
        left join confidences on contributions.customer_id = confidences.customer_id
    )

    select * from gathered
{%- endif %}
