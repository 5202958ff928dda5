with
owners as (
    select
        *,
        is_active and owner_email is not null as is_reachable
    from {{ ref('stg_crm__owners') }}
),

customers as (select * from {{ ref('int_customers_described') }}),

{# Customers of nobody, and of people whom only the ERP knows, have a book of their own. #}
books as (
    select coalesce(owner_id, '') as owner_id
    from customers

    union distinct

    select owner_id
    from owners
),

{# Who has left is substituted by the manager, or the manager's manager. #}
found as (
    select
        books.owner_id,
        owners.owner_name,
        case
            when owners.is_reachable then owners.owner_id
            when managers.is_reachable then managers.owner_id
            when directors.is_reachable then directors.owner_id
        end as reader_id,
        case
            when managers.is_reachable then managers.owner_id
            when directors.is_reachable then directors.owner_id
        end as manager_id
    from books
    left join owners on books.owner_id = owners.owner_id
    left join owners as managers on owners.manager_id = managers.owner_id
    left join owners as directors on managers.manager_id = directors.owner_id
)

select * from found
