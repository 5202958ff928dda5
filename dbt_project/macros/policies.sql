{# Rows of a policy: those of its seeds that are in force on a night, and those of the night
   before, by which tonight is judged a second time where the policy was edited in place. #}


{# Seeds that the engine reads: their key within a policy, their columns and types, and which rows
   say that their key counts no more. #}
{% macro engine_seeds() -%}
    {{ return({
        'tier_ladder': {
            'key': ['tier'],
            'columns': {
                'tier': 'text', 'tier_rank': 'integer', 'best_if_negative': 'boolean',
                'best_if_risk': 'boolean', 'given_if_few': 'boolean', 'name_en': 'text',
                'name_zh': 'text', 'review_months': 'integer', 'value_class': 'text',
            },
            'counts': 'tier_rank is not null',
        },
        'tier_cuts': {
            'key': ['tier', 'axis'],
            'columns': {
                'tier': 'text', 'axis': 'text', 'enter_at': 'numeric(18, 4)',
                'cut_at': 'numeric(18, 4)', 'exit_at': 'numeric(18, 4)', 'currency': 'text',
            },
            'counts': 'coalesce(enter_at, cut_at, exit_at) is not null',
        },
        'score_weights': {
            'key': ['component'],
            'columns': {'component': 'text', 'weight': 'numeric(6, 4)'},
            'counts': 'weight <> 0',
        },
        'grace_rules': {
            'key': ['warning_code'],
            'columns': {'warning_code': 'text', 'nights': 'integer'},
            'counts': 'nights is not null',
        },
    }) }}
{%- endmacro %}


{# The rows of one of these seeds that decide each night of each policy. #}
{% macro policy_rows_in_force(name) -%}
    {%- set seed = engine_seeds()[name] -%}
    with
    policies as (select * from {{ ref('int_policies_applied') }}),

    {# In a replay the earliest rows of a policy hold for the nights before them, too: it is
       tried on nights that it did not decide. #}
    seed_rows as (
        select
            *,
            case
                when
                    {{ 'min(valid_from) over (partition by policy_id)' if is_replay()
                        else "cast('0001-01-01' as date)" }} < valid_from
                    then valid_from
                else cast('0001-01-01' as date)
            end as holds_from
        from {{ ref(name) }}
    ),

    dated as (
        select
            policies.business_date,
            seed_rows.*,
            row_number() over (
                partition by
                    seed_rows.policy_id,
                    policies.business_date,
                    {{ seed.key | join(', ') }}
                order by seed_rows.holds_from desc
            ) as newest_first
        from policies
        inner join seed_rows
            on
                policies.policy_id = seed_rows.policy_id
                and policies.business_date >= seed_rows.holds_from
    ),

    in_force as (
        select
            policy_id,
            business_date,
            {{ seed.columns.keys() | join(',\n            ') }}
        from dated
        where
            newest_first = 1
            and {{ seed.counts }}
    )

    select * from in_force
    {{ in_force_before(name, seed.columns) }}
{%- endmacro %}


{# The same rows as the last published night kept them; a replay has no night before. #}
{% macro in_force_before(name, columns) -%}
    {{ return('' if is_replay() else 'union all ' ~ published_rows(name, columns)) }}
{%- endmacro %}


{% macro published_rows(name, columns) -%}
    select
        policies.policy_id,
        policies.business_date,
        {{ published_values('published', columns) }}
    from policies
    inner join {{ ref('stg_bi__policies') }} as published
        on
            policies.remembered_policy_id = published.policy_id
            and published.seed = '{{ name }}'
            and published.business_date = published.last_night
    where policies.role = 'before'
{%- endmacro %}


{# A value of such a row as the last published night kept it. #}
{% macro published_value(published, column, data_type) -%}
    cast(cast({{ published }}.row_values as jsonb) ->> '{{ column }}' as {{ data_type }})
{%- endmacro %}


{% macro published_values(published, columns) -%}
    {%- set values = [] -%}
    {%- for column, data_type in columns.items() -%}
        {%- do values.append(published_value(published, column, data_type) ~ ' as ' ~ column) -%}
    {%- endfor -%}
    {{ return(values | join(', ')) }}
{%- endmacro %}


{# A policy that is tried judges the nights before its first row, too, by that row. #}
{% macro holds_in_replay(rows, nights) -%}
    (
            {{ nights }}.business_date >= {{ rows }}.valid_from
            or {{ rows }}.valid_from = (
                select min(earliest.valid_from)
                from {{ ref('tier_policies') }} as earliest
                where earliest.policy_id = {{ rows }}.policy_id
            )
        )
{%- endmacro %}


{# A row of a seed as a policy's version knows it, without what only says where and when it holds;
   an empty value says no more than a column that is not there yet. #}
{% macro row_values(relation) -%}
    cast(
            jsonb_strip_nulls(
                to_jsonb({{ relation }})
                - array[
                    'policy_id', 'valid_from', 'role', 'source', 'newest_first', 'business_date'
                ]
            ) as text
        )
{%- endmacro %}
