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
        contribution_12m='numeric(24, 6)',
        contribution_12m_at_window_rates='numeric(24, 6)',
        net_revenue_12m='numeric(24, 6)',
        returns_12m='numeric(24, 6)',
        cogs_12m='numeric(24, 6)',
        freight_12m='numeric(24, 6)',
        cost_to_serve_12m='numeric(24, 6)',
        financing_12m='numeric(24, 6)',
        bad_debt_12m='numeric(24, 6)',
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


{# Published rows of customers under the numbers that they have now: what was published of a number
   before another one took its place is of that one, and what had been published of that one by
   then, when it looked like a new customer, is left out. #}
{% macro as_numbered_now(rows, columns) -%}
    select
        {{ listed(columns, 'numbered', {
            'customer_id': 'coalesce(former.customer_id, numbered.customer_id) as customer_id'
        }) }}
    from {{ rows }} as numbered

    left join {{ ref('stg_ops__renumberings') }} as former
        on
            numbered.customer_id = former.former_customer_id
            and numbered.business_date < former.taken_over_on

    left join {{ ref('stg_ops__renumberings') }} as provisional
        on
            numbered.customer_id = provisional.into_customer_id
            and numbered.business_date < provisional.taken_over_on

    where provisional.into_customer_id is null
{%- endmacro %}


{# Steps that keep, as known_last, the last night under the numbers that customers have now. Where
   a number takes the place of another tonight, it goes on from the newest night of that one, though
   later nights may not have known it. Call it after last_published_night. #}
{% macro last_night_as_numbered_now(columns) -%}
pending as (

    select *
    from {{ ref('stg_ops__renumberings') }}
    where taken_over_on >= {{ business_date() }}

),

former_nights as (

    select
        earlier_nights.*,
        pending.customer_id as customer_id_now,
        pending.into_customer_id,
        max(earlier_nights.business_date) over (
            partition by earlier_nights.customer_id
        ) as newest_date

    from earlier_nights

    inner join pending on earlier_nights.customer_id = pending.former_customer_id

),

{# Of a chain of numbers the first one has the history. #}
taken_over as (

    select former_nights.*
    from former_nights

    where
        business_date = newest_date
        and customer_id not in (select former_nights.into_customer_id from former_nights)

),

known_last as (

    select
        {{ listed(columns, 'last_night') }}
    from last_night

    where
        customer_id not in (select former_nights.customer_id from former_nights)
        and customer_id not in (select former_nights.into_customer_id from former_nights)
        and customer_id not in (select former_nights.customer_id_now from former_nights)

    union all

    select
        {{ listed(columns, 'taken_over', {'customer_id': 'customer_id_now as customer_id'}) }}
    from taken_over

)
{%- endmacro %}
