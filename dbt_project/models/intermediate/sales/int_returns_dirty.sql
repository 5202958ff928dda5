{{
    config(
        pre_hook=[
            "{{ widen_dirty_days_by_prices() }}",
            "{{ gather_statistics(source('ops', 'dirty_day')) }}",
        ],
    )
}}
-- after {{ ref('int_prices_dated') }},
-- {{ ref('int_prices_remembered') }} and {{ ref('stg_erp__receivables') }},
-- which tell the days that new prices touch
with
returns_dirty as (
    select invoice_lines.*
    from {{ ref('stg_erp__invoice_lines') }} as invoice_lines
    inner join {{ source('ops', 'dirty_day') }} as dirty_days
        on
            invoice_lines.customer_id = dirty_days.key_id
            and invoice_lines.invoice_date = dirty_days.day
            and dirty_days.fact = 'sales'
    where
        {{ is_return_without_link() }}
        {# without facts nothing is followed #}
        and {{ builds_only_dirty_days() | lower }}
)

select * from returns_dirty
