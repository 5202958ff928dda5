with
risks as (select * from {{ ref('int_risk_periods_counted') }}),
payments as (select * from {{ ref('int_payments_measured') }}),
contributions as (select * from {{ ref('int_contributions_aggregated_to_windows') }}),
customers as (select * from {{ ref('int_customers_described') }}),
survivors as (select * from {{ ref('int_customers_resolved') }}),
policy as (select * from {{ ref('int_policies_selected') }}),
risk_path as (select * from {{ ref('risk_path') }}),
protections as (select * from {{ ref('int_risks_protected') }}),
risk_approvals as (select * from {{ ref('risk_approvals') }}),

{# An approval without a name is none, and one from before the window has lapsed. #}
approvals as (
    select
        survivors.survivor_id as customer_id,
        risk_approvals.step,
        risk_approvals.approver,
        risk_approvals.approved_on,
        row_number() over (
            partition by survivors.survivor_id, risk_approvals.step
            order by risk_approvals.approved_on desc, risk_approvals.approver asc
        ) as newest
    from risk_approvals
    inner join survivors on risk_approvals.customer_id = survivors.customer_id
    inner join policy
        on
            risk_approvals.approved_on <= policy.business_date
            and risk_approvals.approved_on > policy.window_start_date
    where
        trim(risk_approvals.approver) <> ''
        and coalesce(risk_approvals.source, '{{ var("source") }}') = '{{ var("source") }}'
),

{# The steps that the time since the flag was raised allows. #}
steps as (
    select
        risks.customer_id,
        risk_path.step,
        approvals.approver,
        approvals.approved_on,
        row_number() over (
            partition by risks.customer_id
            order by risk_path.step_order desc
        ) as recommended_order,
        row_number() over (
            partition by risks.customer_id
            order by
                case
                    when risk_path.needs_approver and approvals.approver is null then 1
                    else 0
                end asc,
                risk_path.step_order desc
        ) as approved_order,
        not risk_path.needs_approver or approvals.approver is not null as is_approved
    from risks
    cross join policy
    inner join risk_path
        on
            policy.policy_id = risk_path.policy_id
            and risks.risk_flag = risk_path.risk_flag
            and risks.periods_flagged >= risk_path.minimum_periods
    left join approvals
        on
            risks.customer_id = approvals.customer_id
            and risk_path.step = approvals.step
            and approvals.newest = 1
    left join protections on risks.customer_id = protections.customer_id
    {# Whoever is protected is warned and pays in advance, but nothing is taken from it. #}
    where
        protections.protected_by is null
        or risk_path.step in ('warn', 'prepay')
),

joined as (
    select
        policy.business_date,
        risks.customer_id,
        customers.customer_name,
        customers.owner_id,
        risks.risk_flag,
        risks.periods_flagged,
        risks.flagged_since,
        recommended.step as recommended_step,
        approved.step as approved_step,
        approved.approver,
        approved.approved_on,
        protections.protected_by,
        cast(case risks.risk_flag
            when 'dishonest' then payments.overdue_amount
            else contributions.contribution_12m + contributions.contribution_prior_12m
        end as numeric(24, 6)) as evidence_amount
    from risks
    cross join policy
    inner join contributions on risks.customer_id = contributions.customer_id
    left join payments on risks.customer_id = payments.customer_id
    left join customers on risks.customer_id = customers.customer_id
    left join protections on risks.customer_id = protections.customer_id
    left join steps as recommended
        on
            risks.customer_id = recommended.customer_id
            and recommended.recommended_order = 1
    left join steps as approved
        on
            risks.customer_id = approved.customer_id
            and approved.approved_order = 1
            and approved.is_approved
)

select * from joined
