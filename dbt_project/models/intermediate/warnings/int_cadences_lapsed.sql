with
order_days as (select * from {{ ref('int_order_days_resolved') }}),
policy as (select * from {{ ref('int_policies_selected') }}),
rules as (select * from {{ ref('int_warning_rules_selected') }}),

intervals as (
    select
        order_days.customer_id,
        order_days.day,
        {{ dbt.datediff(
            'lag(order_days.day) over ('
            ~ 'partition by order_days.customer_id order by order_days.day)',
            'order_days.day',
            'day'
        ) }} as days_between
    from order_days
    inner join policy on order_days.day > policy.loyalty_start_date
),

cadences as (
    select
        customer_id,
        max(day) as last_order_date,
        count(*) as order_days,
        max(days_between) as longest_days,
        {{ median('days_between') }} as usual_days
    from intervals
    group by customer_id
),

measured as (
    select
        cadences.*,
        rules.threshold * cadences.usual_days as tolerated_days,
        {{ dbt.datediff(
            'cadences.last_order_date', 'policy.business_date', 'day'
        ) }} as days_since
    from cadences
    cross join policy
    inner join rules
        on
            rules.signal = 'cadence_lapse'
            and cadences.order_days >= rules.minimum_count
),

{# A silence that has been there before is on, but weak: half of all buyers are so
   irregular that twice the median passes every few months. #}
lapsed as (
    select
        customer_id,
        'cadence_lapse' as signal,
        {{ days_after(
            'cast(floor(tolerated_days) + 1 as integer)', 'last_order_date'
        ) }} as since,
        usual_days as baseline_value,
        days_since as current_value,
        'days_between_orders' as value_unit,
        1.0 * days_since / greatest(tolerated_days, longest_days) as severity,
        1.0 as exposed_share,
        cast(null as {{ dbt.type_string() }}) as subject,
        last_order_date as subject_date
    from measured
    where days_since > tolerated_days
)

select * from lapsed
