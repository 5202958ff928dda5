{# How tiers follow change (D10). A night removes and computes the rows of a kept table that may
   have changed, and keeps all others. Which these are follows from int_changes_found, each rule
   of which errs to more, and by what a table is kept, from its model's meta (`kept_by`):
       customers      all rows of those that int_customers_touched names: they follow from
                      the customer's own facts, the dates of windows and int_inputs_gathered
       months         rows of the months from which on int_months_touched names a customer, and
                      of those in which a window begins or ends (int_months_opened)
       receivables    rows of what was issued since int_receivables_touched names a customer

   int_inputs_remembered says, as rows of kind and key:
       customer, internal, category, rule, model, date, month    what they were made with
       sales, receivables    customers whose facts were changed since, and the first such day
       mode        there if tonight's kept tables are continued, `by month` if also those that
                   count in whole months
       table       kept tables that are done; until the last is, no night continues them #}


{# True if tonight's kept tables are continued, as int_customers_touched has decided. A model
   whose meta says `counts_months` looks back from the last month that is over, so that all its
   rows change with that. #}
{% macro follows_changes() -%}
    {%- set memory = fact_relation('int_inputs_remembered') if execute -%}
    {%- if not memory or flags.FULL_REFRESH -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set kinds = "'by month'" if config.get('meta', {}).counts_months
        else "'by day', 'by month'" -%}
    {{ return(run_query(
        "select count(*) as nights from " ~ memory
        ~ " where kind = 'mode' and key_id in (" ~ kinds ~ ")"
    ).columns[0].values()[0] == 1) }}
{%- endmacro %}


{# Rows of a table, all of them or those of the customers that are computed anew. #}
{% macro of_touched(relation, customer='customer_id') -%}
    {%- set touched_customers = ref('int_customers_touched') -%}
    select all_rows.*
    from {{ relation }} as all_rows
    {%- if follows_changes() %}
        inner join {{ touched_customers }} as touched
            on all_rows.{{ customer }} = touched.customer_id
    {%- endif %}
{%- endmacro %}


{# Rows of a CTE with customer_id and month_start_date, all of them or those that are computed
   anew. #}
{% macro of_touched_months(relation) -%}
    {%- set touched_months = ref('int_months_touched') -%}
    {%- set opened_months = ref('int_months_opened') -%}
    select all_rows.*
    from {{ relation }} as all_rows
    {%- if follows_changes() %}
        left join {{ touched_months }} as touched
            on
                all_rows.customer_id = touched.customer_id
                and all_rows.month_start_date >= touched.since_month
        left join {{ opened_months }} as opened
            on all_rows.month_start_date = opened.month_start_date
        where
            touched.customer_id is not null
            or opened.month_start_date is not null
    {%- endif %}
{%- endmacro %}


{# Rows of customers from one date until another that reach into such months; a few more do no
   harm, since `of_touched_months` follows. #}
{% macro reaching_into_touched_months(relation) -%}
    {%- set touched_months = ref('int_months_touched') -%}
    {%- set opened_months = ref('int_months_opened') -%}
    select all_rows.*
    from {{ relation }} as all_rows
    {%- if follows_changes() %}
        left join {{ touched_months }} as touched
            on
                all_rows.customer_id = touched.customer_id
                and all_rows.until_date > touched.since_month
        where
            touched.customer_id is not null
            or exists (
                select 1
                from {{ opened_months }} as opened
                where
                    all_rows.until_date > opened.month_start_date
                    and all_rows.from_date < opened.next_month_start_date
            )
    {%- endif %}
{%- endmacro %}


{% macro kept_models() -%}
    {{ return((
        graph.nodes.values() | selectattr('config.meta.kept_by', 'defined')
        | sort(attribute='name') | list
    ) if execute else []) }}
{%- endmacro %}


{# Whether the kept tables are all there and done, made by the rules and the code of tonight
   and for no later date. #}
{% macro can_kept_tables_be_continued() -%}
    {%- set memory = fact_relation('int_inputs_remembered') if execute -%}
    {%- if not memory or flags.FULL_REFRESH -%}
        {{ return(false) }}
    {%- endif -%}
    {%- for model in kept_models() if not fact_relation(model.name) -%}
        {{ return(false) }}
    {%- endfor -%}
    {%- set inputs = ref('int_inputs_gathered') -%}
    {%- set faults -%}
        select key_id
        from (
            (
                select key_id, input_value from {{ inputs }} where kind = 'rule'
                except
                select key_id, input_value from {{ memory }} where kind = 'rule'
            )
            union all
            (
                select key_id, input_value from {{ memory }} where kind = 'rule'
                except
                select key_id, input_value from {{ inputs }} where kind = 'rule'
            )
        ) as changed_rules

        union all

        select inputs.key_id
        from {{ inputs }} as inputs
        left join {{ memory }} as memory
            on
                inputs.kind = memory.kind
                and inputs.key_id = memory.key_id
                and inputs.input_value >= memory.input_value
        where
            inputs.kind = 'date'
            and memory.key_id is null

        union all

        select inputs.key_id
        from {{ inputs }} as inputs
        left join {{ memory }} as memory
            on
                memory.kind = 'table'
                and inputs.key_id = memory.key_id
        where
            inputs.kind = 'model'
            and memory.key_id is null
    {%- endset -%}
    {{ return(run_query(faults).rows | length == 0) }}
{%- endmacro %}


{# In the transaction of int_customers_touched, after all that read the memory: from here on no
   kept table is done. #}
{% macro remember_inputs() -%}
    {%- set memory = ref('int_inputs_remembered') -%}
    {%- set inputs = ref('int_inputs_gathered') -%}
    {%- set continues = can_kept_tables_be_continued() -%}
    {%- set how = 'by month' if continues and not run_query(
        "select input_value from " ~ inputs ~ " where kind = 'month' except "
        "select input_value from " ~ memory ~ " where kind = 'month'"
    ).rows else 'by day' -%}
    delete from {{ memory }}
    where not exists (
        select 1
        from {{ inputs }} as inputs
        where
            inputs.kind = {{ memory.identifier }}.kind
            and inputs.key_id = {{ memory.identifier }}.key_id
            and inputs.input_value = {{ memory.identifier }}.input_value
    );
    insert into {{ memory }} (kind, key_id, input_value)
    select
        inputs.kind,
        inputs.key_id,
        inputs.input_value
    from {{ inputs }} as inputs
    left join {{ memory }} as memory
        on
            inputs.kind = memory.kind
            and inputs.key_id = memory.key_id
    where memory.key_id is null
    {%- if continues %}
        union all

        select
            'mode' as kind,
            '{{ how }}' as key_id,
            'true' as input_value
    {%- endif %}
{%- endmacro %}


{# In the transaction of int_days_rebuilt, before the list of dirty days is emptied. Facts that
   are made anew may differ anywhere. #}
{% macro touch_customers_of_dirty_days() -%}
    {%- set memory = fact_relation('int_inputs_remembered') if execute -%}
    {%- if memory and builds_only_dirty_days() %}
    insert into {{ memory }} (kind, key_id, input_value)
    select
        dirty_days.fact as kind,
        dirty_days.key_id,
        cast(min(dirty_days.day) as {{ dbt.type_string() }}) as input_value
    from {{ source('ops', 'dirty_day') }} as dirty_days
    group by dirty_days.fact, dirty_days.key_id
    {%- elif memory %}
    delete from {{ memory }}
    {%- endif %}
{%- endmacro %}


{% macro remove_touched(target) -%}
    {{ planned_for_whole_tables() }}
    {%- set kept_by = config.get('meta').kept_by %}
    {%- if kept_by == 'customers' %}
    delete from {{ target }}
    where customer_id in (
        select touched.customer_id
        from {{ fact_relation('int_customers_touched') }} as touched
    );
    {%- elif kept_by == 'months' %}
    delete from {{ target }}
    where month_start_date in (
        select opened.month_start_date
        from {{ fact_relation('int_months_opened') }} as opened
    );
    delete from {{ target }}
    where exists (
        select 1
        from {{ fact_relation('int_months_touched') }} as touched
        where
            touched.customer_id = {{ target.identifier }}.customer_id
            and touched.since_month <= {{ target.identifier }}.month_start_date
    );
    {%- else %}
    delete from {{ target }}
    where exists (
        select 1
        from {{ fact_relation('int_receivables_touched') }} as touched
        where
            touched.customer_id = {{ target.identifier }}.customer_id
            and touched.since_date <= {{ target.identifier }}.issued_date
    );
    {%- endif %}
{%- endmacro %}


{# Rows of the customers that are computed anew, which several kept tables read: a view of all,
   or a table of a few. #}
{% materialization touched, default -%}
    {{ return(made_anew(this.incorporate(type='table' if follows_changes() else 'view'))) }}
{%- endmaterialization %}


{% macro note_as_kept() -%}
    insert into {{ fact_relation('int_inputs_remembered') }} (kind, key_id, input_value)
    values ('table', '{{ this.identifier }}', 'done')
{%- endmacro %}
