{#- Nights by name: their receipts are then found by the key, in a table that keeps months of
    them. -#}
{%- set nights = nights_recalled() -%}
-- after {{ ref('int_spells_found') }}
with
receipts as (select * from {{ ref('stg_bi__receipts') }}),

{# One of them at least, if only a night that never was. #}
recalled as (
    select *
    from receipts
    where business_date in ({{ "'" ~ (nights or ['0001-01-01']) | join("', '") ~ "'" }})
)

select * from recalled
