{%- set without_rate -%}
    select
        receivables.currency,
        min(receivables.issued_date) as day
    from {{ ref('int_receivables_resolved') }} as resolved
    inner join {{ ref('stg_erp__receivables') }} as receivables
        on resolved.invoice_id = receivables.invoice_id
    where resolved.amount is null
    group by receivables.currency
{%- endset -%}

{{ name_missing_rates(without_rate, 'erp.receivables') }}
