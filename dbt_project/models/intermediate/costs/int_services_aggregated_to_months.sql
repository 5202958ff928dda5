with
service_days as (select * from {{ ref('int_services_aggregated_to_days') }}),
accounts as (select * from {{ ref('int_accounts_matched') }}),
policy as (select * from {{ ref('int_policies_selected') }}),
cost_rates as (select * from {{ ref('int_cost_rates_dated') }}),
purposes as (select * from {{ ref('int_purposes_found') }}),

costed as (
    select
        accounts.customer_id,
        purposes.purpose,
        {{ month_start('service_days.day') }} as month_start_date,
        {{ window_number('service_days.day') }} as window_number,
        {{ to_money('service_days.visit_minutes * cost_rates.visit_hour_rate / 60') }}
        + {{ to_money('service_days.calls * cost_rates.call_rate') }}
        + {{ to_money('service_days.tickets * cost_rates.ticket_rate') }}
            as cost_to_serve
    from service_days
    inner join accounts on service_days.account_id = accounts.account_id
    inner join policy on service_days.day <= policy.business_date
    inner join purposes
        on
            service_days.account_id = purposes.account_id
            and service_days.day = purposes.day
    left join cost_rates
        on
            service_days.day >= cost_rates.valid_from_date
            and service_days.day < cost_rates.valid_until_date
    where accounts.customer_id is not null
),

summed as (
    select
        customer_id,
        month_start_date,
        window_number,
        coalesce(sum(cost_to_serve), 0) as cost_to_serve,
        sum(case when purpose = 'acquisition' then coalesce(cost_to_serve, 0) else 0 end)
            as acquisition_cost,
        sum(case when purpose = 'development' then coalesce(cost_to_serve, 0) else 0 end)
            as development_cost
    from costed
    group by customer_id, month_start_date, window_number
)

select * from summed
