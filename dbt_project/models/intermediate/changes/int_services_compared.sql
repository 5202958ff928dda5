-- after {{ ref('int_customers_touched') }}, which decides what is kept
{%- set months = fact_relation('int_contributions_aggregated_to_months') if execute %}
with
services as (select * from {{ ref('int_services_aggregated_to_months') }}),

{# What the months of contribution were made with. #}
spent as (
    {% if months and follows_changes() -%}
        select
            customer_id,
            month_start_date,
            window_number,
            service_cost as cost_to_serve,
            acquisition_cost,
            development_cost
        from {{ months }}
        where service_cost <> 0
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
            and services.window_number = spent.window_number
    where
        {% for cost in ['cost_to_serve', 'acquisition_cost', 'development_cost'] -%}
            {{ 'or ' if not loop.first -}}
            coalesce(services.{{ cost }}, 0) <> coalesce(spent.{{ cost }}, 0)
        {% endfor %}
)

select * from changed
