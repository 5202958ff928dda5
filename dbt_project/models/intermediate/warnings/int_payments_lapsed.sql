with
receivables as (select * from {{ ref('int_receivables_resolved') }}),
policy as (select * from {{ ref('int_policies_selected') }}),
rules as (select * from {{ ref('int_warning_rules_selected') }}),

{# What was settled after the business date was still open on it. #}
known_then as (
    select
        receivables.*,
        receivables.settled_date <= policy.business_date as is_settled,
        receivables.amount
        - receivables.paid_amount
        - coalesce(receivables.written_off_amount, 0) as left_amount,
        {{ dbt.datediff('receivables.due_date', 'policy.business_date', 'day') }}
            as days_late,
        {{ dbt.datediff('receivables.due_date', 'receivables.settled_date', 'day') }}
            as days_to_settle
    from receivables
    inner join policy
        on
            receivables.issued_date <= policy.business_date
            and receivables.due_date > policy.loyalty_start_date
    where
        not receivables.is_disputed
        and receivables.amount > 0
),

habits as (
    select
        known_then.customer_id,
        {{ median('known_then.days_to_settle') }} as usual_days,
        count(*) as invoices
    from known_then
    where
        known_then.is_settled
        and known_then.paid_amount > 0
    group by known_then.customer_id
),

{# An invoice due earlier is late for longer, so the oldest one says it all. #}
open_invoices as (
    select
        known_then.*,
        row_number() over (
            partition by known_then.customer_id
            order by known_then.due_date, known_then.invoice_id
        ) as oldest
    from known_then
    where
        coalesce(not known_then.is_settled, true)
        or known_then.left_amount > 0
),

lapsed as (
    select
        open_invoices.customer_id,
        'late_payment' as signal,
        {{ days_after(
            'cast(floor(habits.usual_days + rules.threshold) + 1 as integer)',
            'open_invoices.due_date'
        ) }} as since,
        habits.usual_days as baseline_value,
        open_invoices.days_late as current_value,
        'days_late' as value_unit,
        (open_invoices.days_late - habits.usual_days) / rules.threshold as severity,
        1.0 as exposed_share,
        open_invoices.invoice_id as subject,
        open_invoices.due_date as subject_date
    from open_invoices
    inner join habits on open_invoices.customer_id = habits.customer_id
    inner join rules
        on
            rules.signal = 'late_payment'
            and habits.invoices >= rules.minimum_count
            and open_invoices.days_late > habits.usual_days + rules.threshold
    where open_invoices.oldest = 1
)

select * from lapsed
