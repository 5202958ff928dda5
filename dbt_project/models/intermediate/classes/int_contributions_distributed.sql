with
contributions as (select * from {{ ref('int_contributions_aggregated_to_windows') }}),

abc_cuts as (
    {{ rows_in_force(ref('abc_cuts')) }}
),

star_cuts as (
    {{ rows_in_force(ref('star_cuts')) }}
),

{# One row per amount, not per customer: no order of rows can part equal amounts. #}
amounts as (
    select
        contribution_12m,
        count(*) as customers,
        {# Losses are no part of what the shares are taken of. #}
        greatest(contribution_12m, 0) * count(*) as earned
    from contributions
    group by contribution_12m
),

placed as (
    select
        contribution_12m,
        sum(customers) over (order by contribution_12m desc) - customers
            as customers_above,
        sum(customers) over () as customers_all,
        sum(earned) over (order by contribution_12m desc) as earned_up_to,
        sum(earned) over (order by contribution_12m desc) - earned as earned_above,
        sum(earned) over () as earned_all
    from amounts
),

ranked as (
    select
        *,
        cast(
            coalesce(
                100 - 100.0 * customers_above / nullif(customers_all - 1, 0), 100
            ) as numeric(7, 4)
        ) as contribution_rank_pct
    from placed
),

{# Who has little enough above reaches the class: the crossing customer rises. #}
abc_reached as (
    select
        ranked.contribution_12m,
        min(abc_cuts.class_rank) as class_rank
    from ranked
    inner join abc_cuts
        on
            ranked.contribution_12m > 0
            and ranked.earned_above < abc_cuts.max_share * ranked.earned_all
    group by ranked.contribution_12m
),

stars_capped as (
    select
        star_level,
        minimum_rank,
        max(case when best_if_negative then star_level end) over ()
            as best_level_if_negative
    from star_cuts
),

stars_reached as (
    select
        ranked.contribution_12m,
        max(
            case
                when
                    ranked.contribution_12m >= 0
                    or stars_capped.star_level <= stars_capped.best_level_if_negative
                    then stars_capped.star_level
            end
        ) as star_level
    from ranked
    inner join stars_capped on ranked.contribution_rank_pct >= stars_capped.minimum_rank
    group by ranked.contribution_12m
),

classed as (
    select
        ranked.contribution_12m,
        stars_reached.star_level,
        ranked.contribution_rank_pct,
        cast(ranked.customers_above + 1 as integer) as contribution_rank,
        cast(
            greatest(ranked.contribution_12m, 0) / nullif(ranked.earned_all, 0)
            as numeric(12, 10)
        ) as contribution_share,
        cast(ranked.earned_up_to / nullif(ranked.earned_all, 0) as numeric(12, 10))
            as cumulative_share,
        coalesce(abc_cuts.abc_class, 'C') as abc_class
    from ranked
    left join abc_reached on ranked.contribution_12m = abc_reached.contribution_12m
    left join abc_cuts on abc_reached.class_rank = abc_cuts.class_rank
    left join stars_reached on ranked.contribution_12m = stars_reached.contribution_12m
)

select * from classed
