{#- Money without goods has no list price and no cost: what it adds is a price, what it takes off
    a discount. -#}
{%- set list_amount -%}
    case
        when line_kind = 'goods'
            then coalesce(list_amount, net_amount + coalesce(discount_amount, 0))
        else greatest(net_amount, 0)
    end
{%- endset -%}
{%- set amounts = [
    'document_net_amount', 'document_list_amount', 'document_freight_amount',
    'document_cost_amount', 'net_amount', 'list_amount', 'freight_amount', 'cost_amount'
] -%}
{%- set kept = [
    'invoice_id', 'line_no', 'customer_id', 'product_id', 'order_id', 'day', 'posted_day',
    'is_goods', 'is_return', 'is_matched', 'is_without_sale', 'has_rate', 'has_discount',
    'has_freight', 'has_cost', 'currency', 'cost_currency', 'quantity'
] -%}
with
invoice_lines as (select * from {{ ref('int_invoice_lines_dated') }}),
products as (select * from {{ ref('stg_erp__products') }}),
unit_costs as (select * from {{ ref('int_unit_costs_dated') }}),
fx_rates as (select * from {{ ref('int_fx_rates_spread_to_months') }}),

joined as (
    select
        invoice_lines.*,
        products.standard_cost,
        unit_costs.unit_cost,
        unit_costs.document_unit_cost,
        unit_costs.currency as unit_cost_currency,
        case
            when invoice_lines.currency = '{{ var("base_currency") }}' then 1
            else fx_rates.rate
        end as rate
    from invoice_lines
    left join products on invoice_lines.product_id = products.product_id
    left join unit_costs
        on
            invoice_lines.product_id = unit_costs.product_id
            and invoice_lines.valued_day >= unit_costs.valid_from_date
            and invoice_lines.valued_day < unit_costs.valid_until_date
    left join fx_rates
        on
            invoice_lines.currency = fx_rates.currency
            and {{ month_start('invoice_lines.valued_day') }} = fx_rates.month_start_date
            and invoice_lines.valued_day >= fx_rates.valid_from_date
            and invoice_lines.valued_day < fx_rates.valid_until_date
),

costed as (
    select
        ---------- ids
        invoice_id,
        line_no,
        customer_id,
        product_id,
        coalesce(order_id, invoice_id) as order_id,
        day,
        posted_day,
        ---------- what is known
        line_kind = 'goods' as is_goods,
        line_kind = 'goods'
        and (document_type = 'credit_note' or quantity < 0) as is_return,
        is_matched,
        is_without_sale,
        rate is not null as has_rate,
        case
            when line_kind = 'goods'
                then coalesce(list_amount, discount_amount) is not null
            else net_amount < 0
        end as has_discount,
        freight_amount is not null as has_freight,
        line_kind <> 'goods'
        or coalesce(cost_amount, unit_cost, standard_cost) is not null as has_cost,
        ---------- what was sold, in the currency of the document and of the cost
        currency,
        case when line_kind = 'goods' then quantity else 0 end as quantity,
        net_amount as document_net_amount,
        {{ list_amount }} as document_list_amount,
        freight_amount as document_freight_amount,
        case
            when cost_amount is not null then currency
            when document_unit_cost is not null then unit_cost_currency
            else '{{ var("base_currency") }}'
        end as cost_currency,
        case
            when line_kind = 'goods'
                then coalesce(
                    cost_amount, quantity * document_unit_cost, quantity * standard_cost
                )
            else 0
        end as document_cost_amount,
        ---------- money in base currency
        rate * net_amount as net_amount,
        rate * {{ list_amount }} as list_amount,
        rate * freight_amount as freight_amount,
        case
            when line_kind = 'goods'
                then coalesce(
                    rate * cost_amount, quantity * unit_cost, quantity * standard_cost
                )
            else 0
        end as cost_amount
    from joined
),

booked as (
    select
        {{ listed(kept, 'costed') }},
        {{ booked(amounts) }}
    from costed
)

select * from booked
