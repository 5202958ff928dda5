with
quarantined as (select * from {{ source('quarantine', 'rows') }}),

{# A line that breaks two rules is there twice. #}
waiting as (
    select
        row_key,
        max({{ json_value('row_data', 'customer_id') }}) as customer_id,
        max(cast({{ json_value('row_data', 'invoice_date') }} as date)) as invoice_date
    from quarantined
    where
        entity = 'erp.invoice_lines'
        and resolved_run is null
        and coalesce({{ json_value('row_data', 'posted') }}, 'true') = 'true'
    group by row_key
)

select * from waiting
