with

invoice_lines as (

    select * from {{ ref('int_invoice_lines_dated') }}

),

products as (

    select * from {{ ref('stg_erp__products') }}

),

unit_costs as (

    select * from {{ ref('int_unit_costs_dated') }}

),

fx_rates as (

    select * from {{ ref('int_fx_rates_spread_to_months') }}

),

joined as (

    select
        invoice_lines.*,
        products.standard_cost,
        unit_costs.unit_cost,
        case
            when invoice_lines.currency = '{{ var("base_currency") }}' then 1
            else fx_rates.rate
        end as rate

    from invoice_lines

    left join products
        on invoice_lines.product_id = products.product_id

    left join unit_costs
        on
            invoice_lines.product_id = unit_costs.product_id
            and invoice_lines.day >= unit_costs.valid_from_date
            and invoice_lines.day < unit_costs.valid_until_date

    left join fx_rates
        on
            invoice_lines.currency = fx_rates.currency
            and {{ month_start('invoice_lines.day') }} = fx_rates.month_start_date
            and invoice_lines.day >= fx_rates.valid_from_date
            and invoice_lines.day < fx_rates.valid_until_date

),

costed as (

    select
        ---------- ids
        invoice_id,
        line_no,
        customer_id,
        coalesce(order_id, invoice_id) as order_id,
        day,
        posted_day,

        ---------- what is known
        document_type = 'credit_note' as is_return,
        rate is not null as has_rate,
        coalesce(list_amount, discount_amount) is not null as has_discount,
        freight_amount is not null as has_freight,
        coalesce(cost_amount, unit_cost, standard_cost) is not null as has_cost,

        ---------- money in base currency
        {{ to_cents('rate * net_amount') }} as net_amount,
        {{ to_cents(
            'rate * coalesce(list_amount, net_amount + coalesce(discount_amount, 0))'
        ) }} as list_amount,
        {{ to_cents('rate * freight_amount') }} as freight_amount,
        coalesce(
            {{ to_cents('rate * cost_amount') }},
            {{ to_cents('quantity * unit_cost') }},
            {{ to_cents('quantity * standard_cost') }}
        ) as cost_amount

    from joined

)

select * from costed
