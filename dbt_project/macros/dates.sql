{# The night's date is a variable, never a clock: a past night can be computed again. #}
{% macro business_date() -%}
    cast('{{ var("business_date") }}' as date)
{%- endmacro %}


{# `months` is a number or a column; 31 May - 3 months = 28 or 29 February. #}
{% macro months_before(months, date) -%}
    cast({{ dbt.dateadd('month', '-(' ~ months ~ ')', date) }} as date)
{%- endmacro %}


{# The review so many after the last one that the calendar's months make due. #}
{% macro review_date(more) -%}
    cast(
        {{ dbt.dateadd(
            'month',
            'cast((reviews.reviews_before + ' ~ more ~ ') * reviews.review_months as integer)',
            'reviews.tier_since'
        ) }} as date
    )
{%- endmacro %}


{% macro days_after(days, date) -%}
    cast({{ dbt.dateadd('day', days, date) }} as date)
{%- endmacro %}


{% macro month_start(date) -%}
    cast({{ dbt.date_trunc('month', date) }} as date)
{%- endmacro %}


{# Business dates of timestamps are UTC dates, whatever the session's time zone. #}
{% macro utc_date(timestamp) -%}
    {{ return(adapter.dispatch('utc_date', 'customer_tiers')(timestamp)) }}
{%- endmacro %}


{% macro default__utc_date(timestamp) -%}
    cast({{ timestamp }} at time zone 'UTC' as date)
{%- endmacro %}


{# On Spark the session runs in UTC (spark.sql.session.timeZone). #}
{% macro spark__utc_date(timestamp) -%}
    cast({{ timestamp }} as date)
{%- endmacro %}
