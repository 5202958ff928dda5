with
contributions as (select * from {{ ref('int_contributions_aggregated_to_windows') }}),
contribution_classes as (select * from {{ ref('int_contributions_distributed') }}),
potentials as (select * from {{ ref('int_potentials_scored') }}),
industries as (select * from {{ ref('int_industries_ranked') }}),
behaviours as (select * from {{ ref('int_behaviours_segmented') }}),

cell_actions as (
    {{ rows_in_force(ref('cell_actions')) }}
),

policy as (select * from {{ ref('int_policies_selected') }}),

classed as (
    select
        contributions.customer_id,
        policy.business_date,
        cast(contributions.contribution_12m as numeric(24, 6)) as contribution_12m,
        contribution_classes.abc_class,
        contribution_classes.star_level,
        contribution_classes.contribution_rank,
        contribution_classes.contribution_rank_pct,
        contribution_classes.contribution_share,
        contribution_classes.cumulative_share,
        potentials.potential_class,
        potentials.potential_score,
        cast(potentials.potential_completeness as numeric(5, 4))
            as potential_completeness,
        potentials.headroom,
        potentials.pipeline,
        potentials.growth_score,
        potentials.headroom_score,
        potentials.pipeline_score,
        cell_actions.action,
        industries.industry,
        industries.industry_code,
        industries.industry_rank,
        industries.industry_customers,
        industries.industry_share,
        behaviours.behaviour_segment,
        behaviours.segment_priority,
        behaviours.recency_days,
        behaviours.recency_intervals,
        behaviours.orders_12m,
        behaviours.trend,
        behaviours.categories_12m,
        behaviours.top_category,
        behaviours.category_entropy,
        cell_actions.abc_class || '-' || cell_actions.potential_class
            as value_potential_cell
    from contributions
    cross join policy
    inner join contribution_classes
        on contributions.contribution_12m = contribution_classes.contribution_12m
    inner join potentials on contributions.customer_id = potentials.customer_id
    inner join industries on contributions.customer_id = industries.customer_id
    inner join behaviours on contributions.customer_id = behaviours.customer_id
    left join cell_actions
        on
            contribution_classes.abc_class = cell_actions.abc_class
            and potentials.potential_class = cell_actions.potential_class
)

select * from classed
