with
cases as (
    select
        *,
        {{ utc_date('closed_at') }} as closed_date
    from {{ ref('stg_crm__cases') }}
    where case_kind = 'complaint'
),

accounts as (select * from {{ ref('int_accounts_matched') }}),
policy as (select * from {{ ref('int_policies_selected') }}),
rules as (select * from {{ ref('int_warning_rules_selected') }}),

{# What was closed after the business date was still open on it. #}
known_then as (
    select
        accounts.customer_id,
        cases.case_id,
        cases.opened_date,
        case
            when cases.closed_date <= policy.business_date
                then {{ dbt.datediff(
                    'cases.opened_date', 'cases.closed_date', 'day'
                ) }}
        end as days_to_close,
        case
            when
                cases.closed_date > policy.business_date
                or (
                    cases.closed_date is null
                    and coalesce(cases.status, 'open') = 'open'
                )
                then {{ dbt.datediff(
                    'cases.opened_date', 'policy.business_date', 'day'
                ) }}
        end as days_open
    from cases
    inner join accounts on cases.account_id = accounts.account_id
    inner join policy
        on
            cases.opened_date <= policy.business_date
            and cases.opened_date > policy.loyalty_start_date
    where accounts.customer_id is not null
),

habits as (
    select
        customer_id,
        {{ median('days_to_close') }} as usual_days,
        count(days_open) as open_complaints
    from known_then
    group by customer_id
),

open_complaints as (
    select
        *,
        row_number() over (
            partition by customer_id
            order by opened_date, case_id
        ) as oldest
    from known_then
    where days_open is not null
),

left_open as (
    select
        open_complaints.customer_id,
        'open_complaint' as signal,
        {{ days_after(
            'cast(floor(rules.threshold) + 1 as integer)', 'open_complaints.opened_date'
        ) }} as since,
        habits.usual_days as baseline_value,
        open_complaints.days_open as current_value,
        'days_open' as value_unit,
        open_complaints.days_open / rules.threshold as severity,
        1.0 as exposed_share,
        open_complaints.case_id as subject,
        open_complaints.opened_date as subject_date
    from open_complaints
    inner join habits on open_complaints.customer_id = habits.customer_id
    inner join rules
        on
            rules.signal = 'open_complaint'
            and open_complaints.days_open > rules.threshold
            and habits.open_complaints >= rules.minimum_count
    where open_complaints.oldest = 1
)

select * from left_open
