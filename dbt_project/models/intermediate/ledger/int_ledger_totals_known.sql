with
ledger as (select * from {{ ref('stg_erp__gl_controls') }}),
sales_days as (select * from {{ ref('int_sales_days_known') }}),

first_posting as (
    select {{ month_start('min(posted_day)') }} as month_start_date
    from sales_days
),

{# Periods of other calendars, such as four weeks, may begin on the first of a month, too, and are
   none. One that begins within a month may be a slip. #}
of_other_calendars as (
    select account_kind
    from ledger
    where month_start_date <> {{ month_start('month_start_date') }}
    group by account_kind
    having count(*) > 1
),

{# A ledger that is older than our lines says nothing about them. #}
known as (
    select
        ledger.month_start_date,
        ledger.account_kind,
        case
            when
                ledger.month_start_date < {{ month_start(business_date()) }}
                or ledger.updated_at is null
                or {{ utc_date('ledger.updated_at') }} <= {{ business_date() }}
                then ledger.amount
        end as ledger_total
    from ledger
    where
        {# asked once; a join would look through all days for each month #}
        ledger.month_start_date >= (
            select first_posting.month_start_date from first_posting
        )
        and ledger.month_start_date <= {{ business_date() }}
        and ledger.month_start_date = {{ month_start('ledger.month_start_date') }}
        and ledger.account_kind not in (
            select of_other_calendars.account_kind from of_other_calendars
        )
)

select * from known
