with
postings as (select * from {{ ref('int_postings_aggregated_to_months') }}),
ledger as (select * from {{ ref('int_ledger_totals_known') }}),
limits as (
    {{ rows_of_source(
        ref('ledger_limits'), ['account_kind', 'maximum_difference_share'],
        amounts=['maximum_difference_amount']
    ) }}
),

waiting_lines as (
    select
        {{ month_start('invoice_date') }} as month_start_date,
        count(*) as quarantined_lines
    from {{ ref('stg_quarantine__invoice_lines') }}
    group by {{ month_start('invoice_date') }}
),

compared as (
    select
        postings.*,
        ledger.ledger_total,
        postings.excluded_customers_total + postings.other_total
            as unallocated_total,
        ledger.ledger_total - postings.customers_total
        - postings.excluded_customers_total - postings.other_total as difference,
        {# Without an amount in this currency: what rounding alone can make. #}
        coalesce(
            limits.maximum_difference_amount,
            case when limits.account_kind is null then 0 else 0.005 * postings.posted_lines end
        ) as maximum_amount,
        coalesce(limits.maximum_difference_share, 0) as maximum_share,
        coalesce(waiting_lines.quarantined_lines, 0) as quarantined_lines,
        postings.month_start_date
        = {{ month_start(business_date()) }} as is_open
    from postings
    left join ledger
        on
            postings.month_start_date = ledger.month_start_date
            and postings.account_kind = ledger.account_kind
    left join limits on postings.account_kind = limits.account_kind
    left join waiting_lines on postings.month_start_date = waiting_lines.month_start_date
),

judged as (
    select
        *,
        abs(difference) <= maximum_amount
        or abs(difference) <= maximum_share * abs(ledger_total) as is_within_limit,
        {# a bill may be worth forty usual lines; the amount of one that waits may be its fault #}
        quarantined_lines > 0
        and abs(difference) * posted_lines <= 40 * quarantined_lines * abs(ledger_total)
            as is_of_waiting_lines
    from compared
),

{# What is known to be missing from our side excuses a difference; nothing else does. #}
typed as (
    select
        month_start_date,
        account_kind,
        {% for total in [
            'ledger', 'customers', 'excluded_customers', 'other', 'unallocated'
        ] -%}
            cast({{ total }}_total as numeric(24, 6)) as {{ total }}_total,
        {% endfor -%}
        cast(difference as numeric(24, 6)) as difference,
        is_open,
        is_within_limit,
        case
            when ledger_total is null then 'ledger_missing'
            when customers_total is null then 'line_missing'
            when is_open then 'open'
            when is_within_limit then 'reconciled'
            when is_of_waiting_lines then 'lines_in_quarantine'
            when lines_without_cost > 0 and difference > 0 then 'lines_without_cost'
            else 'beyond_limit'
        end as verdict,
        cast(quarantined_lines as integer) as quarantined_lines,
        cast(lines_without_cost as integer) as lines_without_cost
    from judged
)

select * from typed
