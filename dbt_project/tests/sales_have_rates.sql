{%- set without_rate -%}
    select
        lines.currency,
        min(sales_days.day) as day
    from {{ ref('fct_sales_days') }} as sales_days
    inner join {{ ref('stg_erp__invoice_lines') }} as lines
        on
            sales_days.customer_id = lines.customer_id
            and sales_days.posted_day = lines.invoice_date
    left join {{ ref('int_fx_rates_dated') }} as fx_rates
        on
            lines.currency = fx_rates.currency
            and sales_days.day >= fx_rates.valid_from_date
            and sales_days.day < fx_rates.valid_until_date
    where
        sales_days.lines_without_rate > 0
        and lines.is_posted
        and lines.currency <> '{{ var("base_currency") }}'
        and fx_rates.currency is null
    group by lines.currency
{%- endset -%}

{{ name_missing_rates(without_rate, 'erp.invoice_lines') }}
