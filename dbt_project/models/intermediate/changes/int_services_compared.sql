-- after {{ ref('int_customers_touched') }}, which decides what is kept
{%- set months = fact_relation('int_contributions_aggregated_to_months') if execute %}
{%- set costs = ['cost_to_serve', 'acquisition_cost', 'development_cost'] %}
with
services as (
    select
        customer_id,
        month_start_date,
    {% for cost in costs -%}
        sum({{ cost }}) as {{ cost }}{{ ',' if not loop.last }}
    {% endfor %}
    from {{ ref('int_services_aggregated_to_months') }}
    group by customer_id, month_start_date
),

{# What the months of contribution were made with; how windows part a month is another matter. #}
spent as (
    {% if months and follows_changes() -%}
        select
            customer_id,
            month_start_date,
        {% for cost in costs -%}
            sum({{ 'service_cost' if loop.first else cost }}) as {{ cost }}
            {{- ',' if not loop.last }}
        {% endfor %}
        from {{ months }}
        where service_cost <> 0
        group by customer_id, month_start_date
    {%- else -%}
        select * from services
    {%- endif %}
),

changed as (
    select
        coalesce(services.customer_id, spent.customer_id) as customer_id,
        coalesce(services.month_start_date, spent.month_start_date) as since_date
    from services
    full outer join spent
        on
            services.customer_id = spent.customer_id
            and services.month_start_date = spent.month_start_date
    where
        {% for cost in costs -%}
            {{ 'or ' if not loop.first -}}
            coalesce(services.{{ cost }}, 0) <> coalesce(spent.{{ cost }}, 0)
        {% endfor %}
)

select * from changed
