{{ config(severity='warn') }}
{%- set unknown -%}
    select
        industry,
        count(*) as customers
    from {{ ref('int_industries_ranked') }}
    where
        industry_code is not null
        and not is_mapped
    group by industry
{%- endset -%}

{{ list_unknown_industries(unknown) }}

{{ unknown }}
