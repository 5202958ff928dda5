{# The published table, or no rows of the same columns before the first night. A column
   that it has not got yet, since it was published by an earlier version, is empty. #}
{% macro published_or_empty(table, columns) -%}
    {%- set published = adapter.get_relation(
        database=target.database, schema='bi', identifier=table
    ) if execute -%}
{%- if published %}
        {%- set there = adapter.get_columns_in_relation(published)
            | map(attribute='name') | list %}
        select
            {% for column, data_type in columns.items() -%}
                {{ column if column in there
                    else 'cast(null as ' ~ data_type ~ ') as ' ~ column
                }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ published }}
    {%- else %}
        select
            {% for column, data_type in columns.items() -%}
cast(null as {{ data_type }}) as {{ column }}{{ ',' if not loop.last }}
{% endfor %}
        where false
{%- endif %}
{%- endmacro %}


{# Columns of receipts, with types, by which a tier is held from night to night. #}
{% macro held_columns() -%}
    {{ return({
        'policy_id': 'text',
        'customer_id': 'text',
        'business_date': 'date',
        'computed_tier': 'text',
        'computed_tier_rank': 'integer',
        'rule': 'text',
        'changed_on': 'date',
        'pending_direction': 'text',
        'pending_nights': 'integer',
        'spell_since': 'date',
    }) }}
{%- endmacro %}


{# The same of the leading policy, whose tiers are told. #}
{% macro decided_columns() -%}
    {{ return(dict(
        held_columns(),
        tier='text',
        tier_rank='integer',
        tier_since='date',
        override_reason='text',
    )) }}
{%- endmacro %}


{# The same with what the next nights compare themselves with. #}
{% macro compared_columns() -%}
    {{ return(dict(
        decided_columns(),
        tier_score='integer',
        score_rank='integer',
        contribution_score='numeric(7, 4)',
        loyalty_index='numeric(7, 4)',
        orders='integer',
        orders_12m='integer',
        policy_version='text',
        is_by_policy='boolean',
        risk_flag='text',
        owner_id='text',
        contribution_12m='numeric(18, 2)',
        contribution_12m_at_window_rates='numeric(18, 2)',
        net_revenue_12m='numeric(18, 2)',
        returns_12m='numeric(18, 2)',
        cogs_12m='numeric(18, 2)',
        freight_12m='numeric(18, 2)',
        cost_to_serve_12m='numeric(18, 2)',
        financing_12m='numeric(18, 2)',
        bad_debt_12m='numeric(18, 2)',
    )) }}
{%- endmacro %}


{# Steps that keep the newest night before the business date, as last_night. #}
{% macro last_published_night(rows) -%}
earlier_nights as (

    select *
    from {{ rows }}
    where business_date < {{ business_date() }}

),

newest_night as (

    select max(business_date) as business_date
    from earlier_nights

),

last_night as (

    select earlier_nights.*
    from earlier_nights

    inner join newest_night
        on earlier_nights.business_date = newest_night.business_date

)
{%- endmacro %}


{# Steps that keep, as last_own_night, what customers were decided that the last published
   night took for part of another: on the newest night before, when they were their own. #}
{% macro last_own_night(rows) -%}
own_nights as (

    select
        own_rows.*,
        max(own_rows.business_date) over (partition by own_rows.customer_id)
            as last_own_date

    from {{ rows }} as own_rows

    inner join {{ ref('stg_bi__customer_identities') }} as identities
        on own_rows.customer_id = identities.record_id

    left join {{ ref('stg_bi__tier_decisions') }} as last_night
        on own_rows.customer_id = last_night.customer_id

    where
        own_rows.business_date < {{ business_date() }}
        and identities.customer_id <> identities.record_id
        and last_night.customer_id is null

),

last_own_night as (

    select *
    from own_nights
    where business_date = last_own_date

)
{%- endmacro %}
