{# How facts follow change (D10). In the transaction that changes an invoice line, the
   loader writes the days the line counts on, before and after, into ops.dirty_day. The
   facts add the days of lines whose rate or cost changed, delete all these days, compute
   them again and, in one transaction after the last of them, empty the list.
   A day too many costs time, a day too few is wrong, so each rule errs to more. #}


{# int_days_rebuilt comes after all facts; where it is, they are complete: what a failed
   first night left is dropped before the next one begins. #}
{% macro builds_only_dirty_days() -%}
    {%- set rebuilt = fact_relation('int_days_rebuilt') if execute -%}
    {{ return((rebuilt and not flags.FULL_REFRESH) | default(false, true)) }}
{%- endmacro %}


{# Compares what lines are valued with now with what the facts were valued with. A
   credit note is valued on the day of its sale, so later ones are touched too; receivables
   have the rate of the day they were issued. What is older than the first change is not looked
   at: with a new rate a week that is a week of lines. #}
{% macro widen_dirty_days_by_prices() -%}
    {%- if builds_only_dirty_days() -%}
        {%- set first_day = run_query(
            'select min(valid_from_date) as day from (' ~ changed_prices() ~ ') as changed'
        ).columns[0].values()[0] -%}
        {%- if first_day -%}
            {{ mark_days_of_changed_prices(first_day) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{% macro changed_prices() -%}
    {%- set prices = ref('int_prices_dated') -%}
    {%- set remembered = ref('int_prices_remembered') -%}
    (select * from {{ prices }} except select * from {{ remembered }})
    union all
    (select * from {{ remembered }} except select * from {{ prices }})
{%- endmacro %}


{% macro mark_days_of_changed_prices(first_day) -%}
    {%- set lines = ref('stg_erp__invoice_lines') %}
    with

    changed_prices as (

        {{ changed_prices() }}

    ),

    touched_lines as (

        select
            invoice_lines.customer_id,
            invoice_lines.invoice_date,
            invoice_lines.original_invoice_id
        from changed_prices
        inner join {{ lines }} as invoice_lines
            on
                changed_prices.key_id = invoice_lines.product_id
                and {{ is_valued_by('changed_prices', 'invoice_lines') }}
        where
            changed_prices.price_kind in ('cost', 'standard_cost')
            and invoice_lines.cost_amount is null
            and invoice_lines.invoice_date >= cast('{{ first_day }}' as date)

        union all

        select
            invoice_lines.customer_id,
            invoice_lines.invoice_date,
            invoice_lines.original_invoice_id
        from changed_prices
        inner join {{ lines }} as invoice_lines
            on
                changed_prices.key_id = invoice_lines.currency
                and {{ is_valued_by('changed_prices', 'invoice_lines') }}
        where
            changed_prices.price_kind = 'rate'
            and invoice_lines.invoice_date >= cast('{{ first_day }}' as date)

    ),

    touched_days as (

        select
            customer_id,
            invoice_date as day
        from touched_lines

        union

        select
            touched_lines.customer_id,
            originals.invoice_date as day
        from touched_lines
        inner join {{ lines }} as originals
            on touched_lines.original_invoice_id = originals.invoice_id

    )

    {{ mark_as_dirty('touched_days') }};

    with

    changed_rates as (

        {{ changed_prices() }}

    ),

    touched_days as (

        select distinct
            receivables.customer_id,
            least(
                receivables.issued_date,
                coalesce(receivables.due_date, receivables.issued_date),
                coalesce(receivables.paid_date, receivables.issued_date)
            ) as day
        from changed_rates
        inner join {{ ref('stg_erp__receivables') }} as receivables
            on
                changed_rates.price_kind = 'rate'
                and changed_rates.key_id = receivables.currency
                and changed_rates.valid_from_date <= receivables.issued_date
                and changed_rates.valid_until_date > receivables.issued_date
        where receivables.issued_date >= cast('{{ first_day }}' as date)

    )

    {{ mark_as_dirty('touched_days', 'receivables') }}
{%- endmacro %}


{# A return without a link may count on another day once a sale of its product changes: the
   loader marks the day it was posted, here its days before and now are added. Which returns these
   are is a table of its own (int_returns_dirty): a planner that does not know how many there are
   takes them for one, and looks through all sales of a large customer for each. #}
{% macro widen_dirty_days_by_returns() -%}
    {%- if builds_only_dirty_days() %}
        {%- set dirty_days = source('ops', 'dirty_day') %}
    with

    unlinked as (select * from {{ ref('int_returns_dirty') }}),

    days_now as ({{ probable_sale_days('unlinked') }}),

    touched_days as (

        select
            unlinked.customer_id,
            days_now.day
        from days_now
        inner join unlinked
            on
                days_now.invoice_id = unlinked.invoice_id
                and days_now.line_no = unlinked.line_no

        union

        select
            sales_days.customer_id,
            sales_days.day
        from {{ fact_relation('fct_sales_days') }} as sales_days
        inner join {{ dirty_days }} as dirty_days
            on
                sales_days.customer_id = dirty_days.key_id
                and sales_days.posted_day = dirty_days.day
                and sales_days.day < sales_days.posted_day
                and dirty_days.fact = 'sales'

    )

    {{ mark_as_dirty('touched_days') }}
    {%- endif %}
{%- endmacro %}


{% macro is_return_without_link() -%}
    is_posted
    and document_type = 'credit_note'
    and line_kind = 'goods'
    and original_invoice_id is null
{%- endmacro %}


{# The sale that each of the CTE's returns most probably takes back: the customer's newest of
   the product, up to the day of the return, that sold as many units, else its newest. The
   oldest that has units left (first in, first out) would carry most returns of a steady
   customer out of every window; bench/returns.py measures both. Nothing after the return
   counts, so that a later document moves nothing. #}
{% macro probable_sale_days(unlinked) -%}
    select
        {{ unlinked }}.invoice_id,
        {{ unlinked }}.line_no,
        coalesce(
            max(case
                when sold_days.quantity >= -{{ unlinked }}.quantity then sold_days.day
            end),
            max(sold_days.day)
        ) as day
    from {{ unlinked }}
    inner join (
        select
            sales.customer_id,
            sales.product_id,
            sales.invoice_date as day,
            max(sales.quantity) as quantity
        from {{ ref('stg_erp__invoice_lines') }} as sales
        inner join (
            select distinct
                customer_id,
                product_id
            from {{ unlinked }}
        ) as returned
            on
                sales.customer_id = returned.customer_id
                and sales.product_id = returned.product_id
        where
            sales.is_posted
            and sales.document_type = 'invoice'
            and sales.line_kind = 'goods'
            and sales.quantity > 0
        group by sales.customer_id, sales.product_id, sales.invoice_date
    ) as sold_days
        on
            {{ unlinked }}.customer_id = sold_days.customer_id
            and {{ unlinked }}.product_id = sold_days.product_id
            and {{ unlinked }}.invoice_date >= sold_days.day
    group by {{ unlinked }}.invoice_id, {{ unlinked }}.line_no
{%- endmacro %}


{% macro mark_as_dirty(touched_days, fact='sales') -%}
    insert into {{ source('ops', 'dirty_day') }} (fact, key_id, day)
    select
        '{{ fact }}' as fact,
        touched_days.customer_id,
        touched_days.day
    from {{ touched_days }} as touched_days
    left join {{ source('ops', 'dirty_day') }} as known_days
        on
            known_days.fact = '{{ fact }}'
            and touched_days.customer_id = known_days.key_id
            and touched_days.day = known_days.day
    where known_days.key_id is null
{%- endmacro %}


{% macro is_valued_by(prices, lines) -%}
    {{ prices }}.valid_from_date <= {{ lines }}.invoice_date
    and (
        {{ prices }}.valid_until_date > {{ lines }}.invoice_date
        or {{ lines }}.document_type = 'credit_note'
    )
{%- endmacro %}


{# Once there are facts, a query of lines reads those of dirty days. #}
{% macro only_dirty_days(lines) -%}
    {%- set days_dirty = ref('int_days_dirty') -%}
    {%- if builds_only_dirty_days() -%}
        inner join {{ days_dirty }} as days_dirty
            on
                {{ lines }}.customer_id = days_dirty.customer_id
                and {{ lines }}.day = days_dirty.day
    {%- endif -%}
{%- endmacro %}


{# The credit notes of which a dirty day may have some: those posted on one, which may have
   changed, and those that the facts count on one, whatever day they were posted on. All others
   count where they did: what could move one marks the day it was posted on. So their number follows
   the change, however much the customer bought. #}
{% macro only_posted_on_touched_days(lines) -%}
    {%- set days_dirty = ref('int_days_dirty') -%}
    {%- if builds_only_dirty_days() -%}
        inner join (
            select
                customer_id,
                day as posted_day
            from {{ days_dirty }}

            union

            select
                sales_days.customer_id,
                sales_days.posted_day
            from {{ fact_relation('fct_sales_days') }} as sales_days
            inner join {{ days_dirty }} as days_dirty
                on
                    sales_days.customer_id = days_dirty.customer_id
                    and sales_days.day = days_dirty.day
            where sales_days.posted_day > sales_days.day
        ) as touched
            on
                {{ lines }}.customer_id = touched.customer_id
                and {{ lines }}.invoice_date = touched.posted_day
    {%- endif -%}
{%- endmacro %}


{% macro delete_dirty_days_from(relation) -%}
    {%- set days_dirty = ref('int_days_dirty') -%}
    {%- if builds_only_dirty_days() %}
    delete from {{ relation }}
    where exists (
        select 1
        from {{ days_dirty }} as days_dirty
        where
            days_dirty.customer_id = {{ relation.identifier }}.customer_id
            and days_dirty.day = {{ relation.identifier }}.day
    )
    {%- endif %}
{%- endmacro %}


{# In the transaction of int_days_rebuilt: the list of dirty days is empty and the memory of
   prices says what the facts were valued with, or neither has changed. #}
{% macro consume_dirty_days() -%}
    delete from {{ source('ops', 'dirty_day') }}
{%- endmacro %}


{% macro forget_prices() -%}
    delete from {{ ref('int_prices_remembered') }}
{%- endmacro %}


{% macro remember_prices() -%}
    insert into {{ ref('int_prices_remembered') }}
    (price_kind, key_id, valid_from_date, valid_until_date, price)
    select
        price_kind,
        key_id,
        valid_from_date,
        valid_until_date,
        price
    from {{ ref('int_prices_dated') }}
{%- endmacro %}
