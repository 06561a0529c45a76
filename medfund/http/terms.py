"""What the fields and routes of the APIs are called in Chinese, for the page that people read."""

from collections.abc import Mapping


def _read(text: str) -> Mapping[str, str]:
    return dict(one.split() for line in text.strip().splitlines() for one in line.split("; "))


FIELDS: Mapping[str, str] = _read("""
about 依据; accepted 已受理; account 科目或账户; account_ends 账号末四位; account_name 科目名称
account_state 账户状态; account_state_name 账户状态名称; accounts 各账户; advance 未冲回的即时结算预拨
age_days 账龄（天）; age_s 已持续秒数; ageing 逾工作日数未付清; ages 账龄分布; agreed 协议约定年金额; agrees 是否相符
although_bank_may_still_pay 已知悉银行仍可能支付; answer 答复理由; amount 金额; amounts 分基金金额; appeal 申诉编号
appeals 各次申诉; application 申请编号; applied_on 申请日期; approval 审批编号; approvals 已审批人
approved 已审批或已审定金额; approved_at 同意时间; approved_by 同意人; approvers 审批人; area 统筹区; as_of 截至日
asked_at 提出时间
asked_by 提出人; at 时间; at_least 为下限; at_risk 临期工作日数; available 可用资金; balance 余额
balanced 借贷是否平衡; balances 各项余额; bank 银行方金额; bank_account 银行账户; bank_account_ref 收款账户登记号
bank_code 银行退票码; bank_may_still_pay 银行是否仍可能支付; bank_may_still_pay_because 银行仍可能支付的原因
bank_txn 银行流水号; base 基期月均额; base64 原始字节（Base64）; base_from 基期起; base_to 基期止; batch 申报批次
batches 合并审定的批次; before 变更前; benefit_year 待遇年度; blocks_year 停拨年度; bond 质量保证金
book 账簿; by 提出人
booked_on 银行记账日; books 账面金额; calendar_version 工作日历版本; came 转入金额; case 追回案件编号; cash 账面资金
certain 确定应付; changes 拟变更内容; claimed 申报金额; claims 各申报批次; clock_start 期限起算日; closing 期末余额
clr_type 清算类别; clr_type_name 清算类别名称; clr_way 清算方式; code 代码; code_name 代码名称; command 指令编号
confirmed 机构是否确认到账; contested 申诉涉及金额; confirmed_on 确认到账日; contract 采购合同; contracted_on 合同签订日
count 数量; counted 是否计入期限; counterpart 对方单位; credit 贷方; credit_counterpart 贷方对方单位
credit_name 贷方科目名称
cursor 翻页位置; cut_off 申报截止日; data 内容; database 数据库是否可用; day 日期; days 各日; days_overdue 逾期天数
disputed 与系统记录不符
deadlines 各项期限; debit 借方; debit_name 借方科目名称; decided 认定追回金额; decided_on 认定日期
decided_total 认定追回合计; decisions 处理结果; deducted 扣款金额; deliveries 投递次数; designated 定点医疗机构数
detail 说明; difference 差额; differing 不符明细; direction 收付方向; direction_name 收付方向名称; disbursed 已拨付
documents 承诺材料; dropped 未支付也未暂缓; dry_run 仅试算; due 到期日或到期金额; due_after 到期日晚于
due_before 到期日早于; due_limit 最迟拨付日; due_total 应追回合计; due_until 应付日截止; duplicates 重复投递次数
effect 是否影响账目; en 英文; end_to_end_id 端到端标识号; errors 各项问题; estimated 预计应付
events 事件; events_total 事件总数
execute_on 支付执行日; expected 预计收回; expires_on 审批有效至; failed 银行未执行; fault 故障代码; faults 故障
finding 疑点编号; findings 审核疑点; findings_total 疑点总数; first 起始日; first_offset 首个事件位置; format 文件格式
from 自该日起; fund 基金; fund_name 基金名称; funds 各基金; gate 预付条件; grade 信用等级; granted 批准金额
ground_name 扣款理由类别名称
grants 批准事项; ground 扣款理由类别; hash 内容校验值; header_count 消息头总数; headers 消息头; held 暂缓支付金额
held_from 暂缓起始日; held_up 未送银行的原因; hold 暂缓编号; holds 各项暂缓; id 编号; in_review 待审金额
instant 即时结算机构数或金额
instant_ratios 即时结算预拨比例; institutions 机构情况; insured_area 参保统筹区; insutype 险种; item 款项编号
items 各笔待查款项; journal 分录汇总; journal_lines 分录数; key 消息键; kind 类别; kind_name 类别名称
known_on 按该日已知; lag 入账滞后; lane 分区; lanes 分区数; lanes_stopped 已停止分区
lanes_without_worker 无人处理分区; last 截止日; last_due 最晚应付日; last_offset 最后事件位置; last_year 上年批准总额
late 是否逾期认定; latest 最迟日; lead 承载应付款的批次; left 转出或剩余金额; left_out 未纳入的付款; limit 每页行数
limits 各基金限额; line 分录编号; lines 明细; made_by 编制人
log 消息日志是否可用; log_faults 消息日志配置故障; look 结果查询地址
mandates 各项审批授权; matched 核对结果; missing 尚缺; missing_approver 是否尚缺审批岗; mode 结算方式; money 资金情况
month 月份
months 各月; months_missing 无审定金额的月份; name 名称; needed 要求; needed_on 用款日; net_in_capitals 应付净额大写
next 下一页位置; nothing 无记账说明
not_covered 资金不足部分; now 现行内容; number 序号; object 涉及对象; offset 位置或冲抵金额; offsets 各项抵扣
oldest 最早日期; oldest_s 最长等待秒数; on_its_way 已送银行待回; on_the_way 在途金额; open 是否未了结
opened_by 发起人; opening 期初余额; operation 操作; ops 权责账金额; ordered 已生成支付单金额; outcome 结果
outstanding 未收回金额; overdue 是否逾期; owner 归属; owner_name 归属名称; p1 即时结算预拨核定额
paid 是否付清或已付金额; paid_on 付清日期; party 机构或统筹区; party_name 机构名称; payable 应付金额或应付编号
payee 收款方; payment 付款单; payments 各付款单; period_from 费用期间起; period_to 费用期间止; person 人员
placed_as 认定为; placed_as_name 认定类别名称; placed_by 认定人; placed_on 认定日期; places 出现位置; plan 计划编号
planned 拟支付; policy 政策参数版本
position 日志位置; positions 数据截至的日志位置; prepayment 预付金编号; prepayments 各笔预付金; proposal 提议编号
proposals 各项提议; proposed_at 提议时间; proposed_by 提议人; proved 是否核验一致; provider 定点机构编码
provider_name 机构名称; providers 各机构; provisional_from 暂估起始日; published 已发布数; purpose 用途
purpose_name 用途名称; queue 工作队列; ratio 比例; reason 原因; reason_en 英文原因; reason_name 原因名称
reason_zh 中文原因; reasons 各项原因; recall 收回编号; receipts 到款明细; received 已到款; received_on 到账日期
recorded 上传次数
recorded_at 记录时间; recorded_date 记账日期; records 各条记录; recoveries 各追回案件; ref 凭据号; reference 凭据
refusals 被拒情况; refused 被拒; rejected 最近一次申报未通过校验; rejection 未通过校验的申报
registered 账户是否已登记; release 解除编号; released_on 解除日期; replaces 替代的计划; request 用款申请编号
requested 申请金额; requested_by 申请人; requests 各项申请; result 结论; retry 重付编号; retry_of 重付自
returned 退回金额; reversed 冲销次数
role 角色; role_name 角色名称; route 接口; rows 各行; rule 审核规则; run 支付批次; runs 各支付批次
said 已提出的认定; says 提议内容
sections 各部分; sent 已送银行; service_date 就诊结算日期; service_from 结算日期起; service_to 结算日期止
settled 已支付; settlement 结算编号; settlements 结算人次; short_by 资金缺口; short_on 首个不足日; side 余额方向
since 自该日起; size 字节数; so_far 本年已发生各月; source 来源; staff 人员; stage 审核阶段; stages 已完成审核阶段
stat 收付账金额; state 状态; state_name 状态名称; statement 对账单; status 状态; step 抵扣顺序; steps 经过
submitted_on 申报日期; suspense_in 待查转入; suspense_out 待查转出; taken 已收回; taken_from 抵扣来源
target 对应款项或期限; target_name 对应款项或期限名称; text 文本; then 变更后内容; time 时间; to_come 审定后将暂缓
to_publish 待发布数; to_retry 待重付金额; topic 事件类别; total 合计; totals 各项合计; type 类型
undecided 未处理完毕的支付批次; undone 扣款已撤销; until 至该日止; upheld 申诉支持金额; up_to_days 天数上限
invoice 发票号码; invoices 各张发票; order 订单编号; period 对账月份
supplier 医药企业统一社会信用代码; supplier_name 企业名称; statements 各份对账单
arrears 欠款编号或各笔欠款; by_fund 分基金余额; days_left 剩余天数; disputes 各项异议; in_dispute 是否有异议或异议数
instalment 支付批次; instalments 各支付批次; issued_from 开票日起; issued_on 开票日; issued_to 开票日止
key_version 分摊依据; month_from 起始月份; month_to 截止月份; stated 是否已列入对账单; taken_back 红冲金额
above_cap 是否超出上限; blocked 是否暂停支付; cap 代付上限; charged 应由机构承担; debts 企业应退款项
exposure 代付未收回金额; exposures 各机构代付余额; payables 各笔应付货款; recovered 已收回金额; supplied 应付货款
to_pay 待支付金额; to_request 是否待提请支付; unpaid 未支付金额; why 异议原因
valid_from 有效期起; valid_to 有效期止; value 值
value_date 起息日; wait_for 等待至日志位置; wanted 申请条件; went 付出金额; what 事项; what_name 事项名称
withheld 暂缓支付
withheld_for 暂缓原因; working_days 工作日数; year 年度; yuan 金额（元）; yuan_days 金额乘天数; zh 中文
""")
"""By name, wherever it stands."""

ROUTES: Mapping[str, str] = _read("""
balances 各机构、基金、科目余额; lines 会计分录; trial_balance 试算平衡表; turnover 科目发生额
cash 各基金银行账户账实核对; explain 余额到分录、分录到事件的追溯; publish 提交事件; event 事件处理结果
quarantine 被拒事件; quarantined 单条被拒事件原文; audit 操作审计; metrics 运行指标; health 运行状况与入账滞后
live 进程是否存活; ready 是否可受理查询; claims 申报批次（按应付日）; deadlines 申报批次的各项期限及依据
statement 申报结算单; claim 单个申报批次; recoveries 追回案件; payments 付款单及工作队列; payment_runs 支付批次列表
open_run 向银行发起支付; run_plan 支付批次试算; payment_run 单个支付批次; suspense 待查银行款项
reconciliations 银行对账; outflows 未来工作日资金流出预测; treasury_requests 财政用款申请及到款
doubtful_settlements 重复上传或冲销的结算
request_funds 提出财政用款申请; coverage 即时结算覆盖率; withdraw 撤回申报批次; appeal 对审核疑点提出申诉
hold 暂缓支付; release 解除暂缓; approve 审批付款; receive 确认款项到账; retry 申请重新支付
confirm_account 确认新收款账户; confirm_order 企业确认订单; submit_statement 企业提交对账单
withdraw_statement 企业撤回对账单; confirm_statement 医疗机构确认对账单; dispute_line 对账单发票提出异议
resolve_line 解除对账单发票异议; plan_statements 编制直接结算计划
statement_plan 单个直接结算计划; statements 企业对账单; supplier_statement 单份企业对账单; invoices 发票进度
statement_disputes 对账单异议; statement_deadlines 对账单付款期限; supplier_cycle 结算周期; arrears 历史欠款
supplier_payables 代付医药企业货款; exposures 代付余额及上限
confirm_supplier_account 确认企业新收款账户; approve_statements 批准直接结算计划
prepayments 预付金; prepayment_outlook 预付金收回预测; prepayment_plan 单个预付计划
prepayment_statement 预付金对账单; plan_prepayments 编制预付计划; approve_plan 批准预付计划
apply_for_prepayment 申请预付金; recall 收回预付金; place 认定待查款项; proposals_of_the_office 待他人同意的提议
mandates 审批授权（按日）; propose 提出授权、来源、政策或期初的提议; approve_proposal 同意提议; command 指令处理结果
""")
"""By the name of the operation."""
