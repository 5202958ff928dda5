{# The rows of a seed that decide tonight: those of its latest valid_from. #}
{% macro rows_in_force(seed) -%}
    select *
    from {{ seed }}
    where
        valid_from = (
            select max(versions.valid_from)
            from {{ seed }} as versions
            where versions.valid_from <= {{ business_date() }}
        )
{%- endmacro %}


{# Rows that break a check: pairs of a condition and what to say of a row without it. #}
{% macro faulty_rows(relation, key, checks) -%}
    {%- set name -%}
        {%- for column in key -%}
            '{{ column }} '
            || coalesce(cast({{ column }} as {{ dbt.type_string() }}), '')
            {{- " || ', ' || " if not loop.last }}
        {%- endfor -%}
    {%- endset -%}
    {%- for holds, fault in checks %}
        {{- 'union all' if not loop.first }}
        select
            faulty_row,
            '{{ fault | replace("'", "''") }}' as fault
        from (
            select
                faulty_row,
                {{ holds }} as is_sound
            from (
                select
                    *,
                    {{ name }} as faulty_row
                from {{ relation }}
            ) as named
        ) as judged
        where coalesce(is_sound, false) = false
        group by faulty_row
    {% endfor -%}
{%- endmacro %}


{% macro missing_rows(relation, version, each_of, values) -%}
    {%- for value in values %}
        union all
        select
            '{{ version }} ' || {{ version }} || ', {{ value }}' as faulty_row,
            'is missing' as fault
        from {{ relation }}
        group by {{ version }}
        having sum(case when {{ each_of }} = '{{ value }}' then 1 else 0 end) = 0
    {%- endfor -%}
{%- endmacro %}


{# Whoever changed a seed must read which row is wrong; `Got 2 results` does not say. #}
{% macro name_faulty_rows(faults, seed) -%}
    {%- set found = run_query(faults ~ ' order by 1, 2') if execute else [] -%}
    {%- set names = [] -%}
    {%- for row in found -%}
        {%- do names.append('row ' ~ row[0] ~ ' ' ~ row[1]) -%}
    {%- endfor -%}
    {%- if names -%}
        {%- do exceptions.raise_compiler_error(
            'source ' ~ var('source') ~ ', seed ' ~ seed ~ ': ' ~ names | join('; ')
            ~ '; correct dbt_project/seeds/' ~ seed ~ '.csv and run the night again'
        ) -%}
    {%- endif -%}
    select 'none' as faulty_row
    where false
{%- endmacro %}


{# 'Food & Beverage' and 'food-beverage' are one spelling; Chinese needs no case. #}
{% macro spelling_key(text) -%}
    nullif(translate(lower({{ text }}), ' -_/.,&+()、，　（）', ''), '')
{%- endmacro %}


{# Bounds are included, an empty one asks nothing, what is not known meets none. #}
{% macro meets_bounds(measures, rules, name) -%}
    (
        ({{ rules }}.min_{{ name }} is null or {{ measures }}.{{ name }} >= {{ rules }}.min_{{ name }})
        and ({{ rules }}.max_{{ name }} is null or {{ measures }}.{{ name }} <= {{ rules }}.max_{{ name }})
    )
{%- endmacro %}


{# A warning only counts, so the names go to the log; `print` speaks in quiet runs. #}
{% macro list_unknown_industries(unknown) -%}
    {%- set names = [] -%}
    {%- for row in (run_query(unknown ~ ' order by industry') if execute else []) -%}
        {%- do names.append(row[0] ~ ' (' ~ row[1] ~ ' customers)') -%}
    {%- endfor -%}
    {%- if names -%}
        {%- do print(
            'source ' ~ var('source') ~ ', column industry: seed industry_codes does '
            ~ 'not know ' ~ names | join(', ') ~ '; these customers are of industry other'
        ) -%}
    {%- endif -%}
{%- endmacro %}


{# The rows of a seed that count for tonight's company: those that name it or, where none does,
   those that name none. Where a seed holds amounts, `amounts` lists its columns of them: they
   are empty in another currency than the base currency. #}
{% macro rows_of_source(seed, columns, amounts=[]) -%}
    select
        {{ (columns + amounts_that_count(amounts)) | join(',\n        ') }}
    from {{ seed }}
    where
        coalesce(source, '') = (
            select max(case when named.source = '{{ var("source") }}' then named.source else '' end)
            from {{ seed }} as named
        )
{%- endmacro %}


{% macro amounts_that_count(amounts) -%}
    {%- set base = "'" ~ var('base_currency') ~ "'" -%}
    {%- set columns = [] -%}
    {%- for amount in amounts -%}
        {%- do columns.append(
            'case when coalesce(currency, ' ~ base ~ ') = ' ~ base ~ ' then ' ~ amount
            ~ ' end as ' ~ amount
        ) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}


{# Of rows that may have been replaced since, the one of each key that holds on a day. #}
{% macro newest_rows(rows, key, day) -%}
    select *
    from (
        select
            *,
            row_number() over (
                partition by {{ key | join(', ') }}
                order by coalesce(valid_from, cast('0001-01-01' as date)) desc
            ) as newest_first
        from {{ rows }}
        where coalesce(valid_from, cast('0001-01-01' as date)) <= {{ day }}
    ) as dated
    where newest_first = 1
{%- endmacro %}


{# As of unknown industries: a warning only counts, so the names go to the log. #}
{% macro list_lacking_amounts(lacking) -%}
    {%- for row in (run_query(lacking ~ ' order by 1') if execute else []) -%}
        {%- do print(
            'source ' ~ var('source') ~ ': seed ' ~ row[0] ~ ' has no amount in '
            ~ var('base_currency') ~ ', so ' ~ row[1] ~ '; add rows with source '
            ~ var('source') ~ ' and currency ' ~ var('base_currency')
            ~ ' to dbt_project/seeds/' ~ row[0] ~ '.csv'
        ) -%}
    {%- endfor -%}
{%- endmacro %}
