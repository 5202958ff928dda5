{%- set parts = ['growth', 'headroom', 'pipeline'] -%}
with
potentials as (select * from {{ ref('int_potentials_measured') }}),

weights as (
    {{ rows_in_force(ref('potential_weights')) }}
),

potential_bands as (
    {{ rows_in_force(ref('potential_bands')) }}
),

{% for part in parts -%}
    {# Equal values share the middle of their places: the mean of each part's ranks is
       50, so a customer without the part neither gains nor loses by its absence. #}
    {{ part }}_placed as (
        select
            {{ part }},
            cast(
                coalesce(
                    100.0 * (
                        sum(count(*)) over (order by {{ part }})
                        - (count(*) + 1) / 2.0
                    ) / nullif(sum(count(*)) over () - 1, 0),
                    50
                ) as numeric(7, 4)
            ) as {{ part }}_score
        from potentials
        where {{ part }} is not null
        group by {{ part }}
    ),

{% endfor -%}

placed as (
    select
        potentials.*,
        growth_placed.growth_score,
        headroom_placed.headroom_score,
        pipeline_placed.pipeline_score
    from potentials
    left join growth_placed on potentials.growth = growth_placed.growth
    left join headroom_placed on potentials.headroom = headroom_placed.headroom
    left join pipeline_placed on potentials.pipeline = pipeline_placed.pipeline
),

{# Parts without data give their weight to the others. #}
weighed as (
    select
        placed.*,
        weights.minimum_completeness,
        {% for part in parts -%}
            coalesce(placed.{{ part }}_score * weights.{{ part }}_weight, 0)
            {{- ' +' if not loop.last }}
        {% endfor -%}
            as weighted_sum,
        {% for part in parts -%}
            case
                when placed.{{ part }} is null then 0 else weights.{{ part }}_weight
            end
            {{- ' +' if not loop.last }}
        {% endfor -%}
            as potential_completeness
    from placed
    cross join weights
),

scored as (
    select
        *,
        case
            when potential_completeness >= minimum_completeness
                then cast(weighted_sum / potential_completeness as numeric(7, 4))
        end as potential_score
    from weighed
),

banded as (
    select
        scored.customer_id,
        min(potential_bands.class_rank) as class_rank
    from scored
    inner join potential_bands on scored.potential_score >= potential_bands.minimum_score
    group by scored.customer_id
),

classed as (
    select
        scored.customer_id,
        scored.headroom,
        scored.pipeline,
        scored.growth_score,
        scored.headroom_score,
        scored.pipeline_score,
        scored.potential_completeness,
        scored.potential_score,
        potential_bands.potential_class
    from scored
    left join banded on scored.customer_id = banded.customer_id
    left join potential_bands on banded.class_rank = potential_bands.class_rank
)

select * from classed
