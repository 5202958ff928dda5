with
risks as (
    select * from {{ ref('int_risks_flagged') }}
    where risk_flag is not null
),

debts as (select * from {{ ref('int_debts_dated') }}),
contributions as (select * from {{ ref('int_contributions_aggregated_to_windows') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

facts as (
    select
        debts.customer_id,
        'receivable_overdue' as fact,
        debts.invoice_id as fact_id,
        debts.due_date as from_date,
        debts.period_end_date as until_date,
        debts.days_overdue,
        debts.open_amount as amount
    from debts
    where debts.periods_back = 0 and debts.is_overdue
    {% for window, column, start, end in [
        ('window', 'contribution_12m', 'window_start_date', 'business_date'),
        ('window_before', 'contribution_prior_12m', 'window_before_start_date',
         'window_start_date'),
    ] -%}
        union all

        select
            risks.customer_id,
            'loss' as fact,
            '{{ window }}' as fact_id,
            {{ days_after(1, 'policy.' ~ start) }} as from_date,
            policy.{{ end }} as until_date,
            null as days_overdue,
            contributions.{{ column }} as amount
        from risks
        inner join contributions
            on risks.customer_id = contributions.customer_id and risks.risk_flag = 'bad'
        cross join policy
    {% endfor %}
),

typed as (
    select
        policy.business_date,
        facts.customer_id,
        risks.risk_flag,
        facts.fact,
        facts.fact_id,
        facts.from_date,
        facts.until_date,
        facts.days_overdue,
        cast(facts.amount as numeric(24, 6)) as amount
    from facts
    inner join risks on facts.customer_id = risks.customer_id
    cross join policy
)

select * from typed
