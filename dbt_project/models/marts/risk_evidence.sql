with

risks as (

    select *
    from {{ ref('int_risks_flagged') }}
    where risk_flag is not null

),

receivables as (

    select * from {{ ref('int_receivables_resolved') }}

),

contributions as (

    select * from {{ ref('int_contributions_aggregated_to_windows') }}

),

policy as (

    select * from {{ ref('int_policies_selected') }}

),

risk_rules as (

    select * from {{ ref('risk_rules') }}

),

{# As int_payments_measured sees them; a test compares the sums. #}
debts as (

    select
        receivables.customer_id,
        receivables.invoice_id,
        receivables.due_date,
        receivables.amount - case
            when receivables.settled_date <= policy.business_date
                then
                    receivables.paid_amount
                    + coalesce(receivables.written_off_amount, 0)
            else 0
        end as open_amount,
        {{ dbt.datediff('receivables.due_date', 'policy.business_date', 'day') }}
            as days_overdue

    from receivables

    inner join policy
        on receivables.issued_date <= policy.business_date

    where
        not receivables.is_disputed
        and receivables.amount > 0

),

facts as (

    select
        debts.customer_id,
        'receivable_overdue' as fact,
        debts.invoice_id as fact_id,
        debts.due_date as from_date,
        policy.business_date as until_date,
        debts.days_overdue,
        debts.open_amount as amount

    from debts

    inner join risks
        on
            debts.customer_id = risks.customer_id
            and risks.risk_flag = 'dishonest'

    cross join policy

    inner join risk_rules
        on
            policy.policy_id = risk_rules.policy_id
            and risks.risk_flag = risk_rules.risk_flag
            and debts.days_overdue > risk_rules.minimum_days_overdue

    where debts.open_amount > 0

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
            on
                risks.customer_id = contributions.customer_id
                and risks.risk_flag = 'bad'

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
        cast(facts.amount as numeric(18, 2)) as amount

    from facts

    inner join risks
        on facts.customer_id = risks.customer_id

    cross join policy

)

select * from typed
