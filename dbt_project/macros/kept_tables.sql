{# How tiers follow change (D10). A table that is `kept` has customer_id in its key, and a
   customer's rows follow from its own facts, the dates of the windows and what
   int_inputs_gathered lists. A night removes and computes the rows of the customers that
   int_customers_touched names, and keeps all others. Each rule there errs to more.

   int_inputs_remembered says, as rows of kind and key:
       customer, internal, category, rule, date, month    what the kept tables were made with
       touched     customers whose facts were changed since, by fct_sales_days
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


{% macro kept_models() -%}
    {{ return((
        graph.nodes.values() | selectattr('config.materialized', 'equalto', 'kept')
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
            inputs.kind = 'rule'
            and inputs.key_id like 'int_%'
            and memory.key_id is null
    {%- endset -%}
    {{ return(run_query(faults).rows | length == 0) }}
{%- endmacro %}


{# In the transaction of int_customers_touched: from here on no kept table is done. #}
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


{# In the transaction of the last fact, before the list of dirty days is emptied. Facts that
   are made anew may differ anywhere. #}
{% macro touch_customers_of_dirty_days() -%}
    {%- set memory = fact_relation('int_inputs_remembered') if execute -%}
    {%- if memory and builds_only_dirty_days() %}
    insert into {{ memory }} (kind, key_id, input_value)
    select distinct
        'touched' as kind,
        dirty_days.key_id,
        'sales' as input_value
    from {{ source('ops', 'dirty_day') }} as dirty_days
    where
        dirty_days.fact = 'sales'
        and not exists (
            select 1
            from {{ memory }} as memory
            where
                memory.kind = 'touched'
                and memory.key_id = dirty_days.key_id
        )
    {%- elif memory %}
    delete from {{ memory }}
    {%- endif %}
{%- endmacro %}


{% materialization kept, default -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- if follows_changes() and load_cached_relation(this) is not none -%}
        {{ return(continued(target, first=remove_touched(target), finally=note_as_kept())) }}
    {%- endif -%}
    {{ return(made_anew(target, finally=note_as_kept())) }}
{%- endmaterialization %}


{% macro remove_touched(target) -%}
    {{ planned_for_whole_tables() }}
    delete from {{ target }}
    where customer_id in (
        select touched.customer_id
        from {{ fact_relation('int_customers_touched') }} as touched
    );
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
