{%- set drivers = [
    'order_line', 'drop', 'return_line', 'visit_hour', 'call', 'ticket'
] -%}
with
rates as (
    {{ rows_of_source(ref('cost_rates'), ['driver', 'valid_from'], amounts=['rate']) }}
),

cost_rates as (
    select * from rates
    where rate is not null
),

change_days as (
    select distinct valid_from
    from cost_rates
),

rates_known as (
    select
        change_days.valid_from,
        cost_rates.driver,
        cost_rates.rate,
        row_number() over (
            partition by change_days.valid_from, cost_rates.driver
            order by cost_rates.valid_from desc
        ) as newest
    from change_days
    inner join cost_rates on change_days.valid_from >= cost_rates.valid_from
),

pivoted as (
    select
        valid_from as valid_from_date,
        lead(valid_from, 1, cast('9999-12-31' as date)) over (
            order by valid_from
        ) as valid_until_date,
    {% for driver in drivers -%}
        coalesce(max(case when driver = '{{ driver }}' then rate end), 0)
            as {{ driver }}_rate{{ ',' if not loop.last }}
    {% endfor %}
    from rates_known
    where newest = 1
    group by valid_from
)

select * from pivoted
