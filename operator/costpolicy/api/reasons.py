"""Every reason that a condition or event can carry, and what it means to the person who reads it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why a condition is as it is.  Published: a name is never given another meaning."""

    # an answer exists
    PLANNED = "Planned"
    SERVING = "Serving"
    SCHEDULED_TO_ZERO = "ScheduledToZero"
    # an answer is being worked on
    PROGRESSING = "Progressing"
    WAITING_FOR_REPLICAS = "WaitingForReplicas"
    UNSCHEDULABLE = "Unschedulable"
    ENGINE_DIED = "EngineDied"
    # the policy cannot be answered as it is
    INVALID_POLICY = "InvalidPolicy"
    INVALID_SCHEDULE = "InvalidSchedule"
    UNKNOWN_MODEL = "UnknownModel"
    UNKNOWN_ACCELERATOR = "UnknownAccelerator"
    ENGINE_UNSUPPORTED = "EngineUnsupported"
    ARGUMENT_OWNED_BY_PLAN = "ArgumentOwnedByPlan"
    UNKNOWN_ARGUMENT = "UnknownArgument"
    POD_NOT_ALLOWED = "PodNotAllowed"
    NOT_SUPPORTED_YET = "NotSupportedYet"
    CURRENCY_MISMATCH = "CurrencyMismatch"
    NO_PRICE = "NoPrice"
    NO_NODES = "NoNodes"
    NAME_TAKEN = "NameTaken"
    MODEL_NAME_TAKEN = "ModelNameTaken"
    FORBIDDEN = "Forbidden"
    # a Deployment of somebody else cannot be advised on
    TARGET_NOT_FOUND = "TargetNotFound"
    TARGET_NOT_VLLM = "TargetNotVLLM"
    TARGET_UNREADABLE = "TargetUnreadable"
    # a route cannot be served as it is
    POLICY_NOT_FOUND = "PolicyNotFound"
    POLICY_ONLY_ADVISES = "PolicyOnlyAdvises"
    NO_TOKEN_PRICE = "NoTokenPrice"  # noqa: S105 - a reason
    FALLBACK_CYCLE = "FallbackCycle"
    ROUTER_SETTINGS_DIFFER = "RouterSettingsDiffer"
    ROUTER_IMAGE_MISSING = "RouterImageMissing"
    CONFIGURATION_TOO_LARGE = "ConfigurationTooLarge"
    SECRET_MISSING = "SecretMissing"  # noqa: S105 - a reason
    ROUTER_DIED = "RouterDied"
    # tiers and their thresholds
    TIERS_ANSWER = "TiersAnswer"
    TIER_NOT_READY = "TierNotReady"
    THRESHOLDS_PROVEN = "ThresholdsProven"
    ROUTED = "Routed"
    CALIBRATION_MISSING = "CalibrationMissing"
    CALIBRATION_UNREADABLE = "CalibrationUnreadable"
    NOTHING_PROVEN = "NothingProven"
    LOSS_NOT_ALLOWED = "LossNotAllowed"
    EVIDENCE_STALE = "EvidenceStale"
    TRAFFIC_DRIFTED = "TrafficDrifted"
    QUALITY_LOST = "QualityLost"
    COMPRESSION_PROVEN = "CompressionProven"
    NOT_PROVEN = "NotProven"
    # no plan exists
    INFEASIBLE = "Infeasible"
    DOES_NOT_FIT = "DoesNotFit"
    OBJECTIVE_UNREACHABLE = "ObjectiveUnreachable"
    BUDGET_EXCEEDED = "BudgetExceeded"
    NEEDS_MULTI_NODE = "NeedsMultiNode"
    # metrics
    METRICS_FOUND = "MetricsFound"
    NO_TRAFFIC = "NoTraffic"
    NO_SAMPLES = "NoSamples"
    PROMETHEUS_UNREACHABLE = "PrometheusUnreachable"
    PROMETHEUS_REFUSED = "PrometheusRefused"
    PROMETHEUS_TIMEOUT = "PrometheusTimeout"
    BAD_RESPONSE = "BadResponse"
    RULES_MISSING = "RulesMissing"
    RETENTION_TOO_SHORT = "RetentionTooShort"
    RESOLUTION_TOO_COARSE = "ResolutionTooCoarse"
    NOT_STATED = "NotStated"
    # objectives, budget, quality
    OBJECTIVES_KEPT = "ObjectivesKept"
    OBJECTIVE_MISSED = "ObjectiveMissed"
    MEASURED_PER_STEP = "MeasuredPerStep"
    WITHIN_BUDGET = "WithinBudget"
    OVER_BUDGET = "OverBudget"
    NO_BUDGET = "NoBudget"
    FORECAST_EXCEEDS_BUDGET = "ForecastExceedsBudget"
    MONTHLY_BUDGET_SPENT = "MonthlyBudgetSpent"
    NO_CHANGE_YET = "NoChangeYet"
    ACCEPTED_BY_USER = "AcceptedByUser"
    QUALITY_PROVEN = "QualityProven"
    CHANGE_MEASURED = "ChangeMeasured"
    CHANGE_DID_NOT_SAVE = "ChangeDidNotSave"
    # changes of configuration
    STEADY = "Steady"
    SURGING = "Surging"
    SHARING = "Sharing"
    REPLACING = "Replacing"
    ROLLED_BACK = "RolledBack"
    CANARY_UNSCHEDULABLE = "CanaryUnschedulable"
    CANARY_NEVER_READY = "CanaryNeverReady"
    CANARY_MISSES_OBJECTIVE = "CanaryMissesObjective"
    CANARY_FAILS_REQUESTS = "CanaryFailsRequests"
    CANARY_INCONCLUSIVE = "CanaryInconclusive"
    CANARY_NOT_CHEAPER = "CanaryNotCheaper"
    NO_SPARE_GPU = "NoSpareGPU"
    HOLD_UNTIL = "HoldUntil"
    OUTSIDE_WINDOW = "OutsideWindow"
    COOLING_DOWN = "CoolingDown"
    METRICS_STALE = "MetricsStale"
    IN_TRANSITION = "InTransition"
    OTHERS_CHANGING = "OthersChanging"
    REVALIDATING = "Revalidating"
    SAVING_TOO_SMALL = "SavingTooSmall"
    DOES_NOT_PAY_BACK = "DoesNotPayBack"
    NEEDS_QUALITY_GATE = "NeedsQualityGate"
    EVALUATION_RUNNING = "EvaluationRunning"
    EVALUATION_FAILED = "EvaluationFailed"
    EVALUATION_TOO_SMALL = "EvaluationTooSmall"
    EVALUATION_INCONCLUSIVE = "EvaluationInconclusive"
    QUALITY_INFERIOR = "QualityInferior"
    SUPERSEDED = "Superseded"
    SPOT_LOST = "SpotLost"
    # news
    ROLLOUT_STARTED = "RolloutStarted"
    PROMOTED = "Promoted"
    SCALED = "Scaled"
    SPOT_BACK = "SpotBack"
    CHEAPER_ELSEWHERE = "CheaperElsewhere"
    # who follows the load
    AUTOSCALED = "Autoscaled"
    SCALING_UNAVAILABLE = "ScalingUnavailable"
    FOREIGN_AUTOSCALER = "ForeignAutoscaler"
    # candidates that a plan rejects
    ACCELERATOR_NOT_ALLOWED = "AcceleratorNotAllowed"
    CAPACITY_TYPE_NOT_ALLOWED = "CapacityTypeNotAllowed"
    CONTEXT_DOES_NOT_FIT = "ContextDoesNotFit"
    FORMAT_UNSUPPORTED = "FormatUnsupported"
    NEEDS_CHECKPOINT = "NeedsCheckpoint"
    TENSOR_PARALLEL_SHAPE = "TensorParallelShape"
    MAX_ACCELERATORS = "MaxAccelerators"
    MAX_REPLICAS = "MaxReplicas"
    METHOD_UNSUPPORTED = "MethodUnsupported"
    SPECULATION_NOT_NEEDED = "SpeculationNotNeeded"


REASONS: Final[Mapping[Reason, str]] = {
    Reason.PLANNED: "A plan exists. The mode, Off or Recommend, asks for no more.",
    Reason.SERVING: "As many replicas are ready as are promised. Of a route: its router serves it.",
    Reason.SCHEDULED_TO_ZERO: "A schedule wants no replica now.",
    Reason.PROGRESSING: "The current generation is being planned or applied.",
    Reason.WAITING_FOR_REPLICAS: "Replicas were created and are not all ready; a large model takes minutes to load.",
    Reason.UNSCHEDULABLE: "A pod finds no node; the message repeats the scheduler's. Free or add accelerators.",
    Reason.ENGINE_DIED: "The engine's container ended by itself; the message holds its last words, the number of "
    "restarts and the command that shows its log.",
    Reason.INVALID_POLICY: "The policy or route contradicts itself or holds a value that cannot be read.",
    Reason.INVALID_SCHEDULE: "A cron expression or the name of a time zone cannot be read.",
    Reason.UNKNOWN_MODEL: "The catalogue lacks this model. State its sizes in model.architecture.",
    Reason.UNKNOWN_ACCELERATOR: "The catalogue lacks an accelerator that the policy names.",
    Reason.ENGINE_UNSUPPORTED: "This vLLM version is not supported, or cannot do what the policy orders.",
    Reason.ARGUMENT_OWNED_BY_PLAN: "An argument in engine.extraArgs is decided by the plan. Remove it, or "
    "set the "
    "field of the policy that decides it.",
    Reason.UNKNOWN_ARGUMENT: "This vLLM version does not know an argument in engine.extraArgs and would not start.",
    Reason.POD_NOT_ALLOWED: "engine.pod asks for host paths, host namespaces or privilege, which this "
    "operator refuses.",
    Reason.NOT_SUPPORTED_YET: "The policy asks for something that this version of the operator does not do.",
    Reason.CURRENCY_MISMATCH: "The policy's budget is in another currency than the prices.",
    Reason.NO_PRICE: "No price book prices an accelerator that the policy allows, or one that it holds.",
    Reason.NO_NODES: "No node carries an accelerator that the policy allows, and none can be started.",
    Reason.NAME_TAKEN: "An object of the planned name belongs to somebody else. It is left alone.",
    Reason.MODEL_NAME_TAKEN: "An older policy of this namespace serves a model of the same name.",
    Reason.FORBIDDEN: "The API server refused a write; the message repeats its reason.",
    Reason.TARGET_NOT_FOUND: "There is no Deployment of the name in targetRef in the policy's namespace.",
    Reason.TARGET_NOT_VLLM: "The Deployment in targetRef does not run vLLM's server in one of its containers.",
    Reason.TARGET_UNREADABLE: "The Deployment in targetRef runs vLLM, and does not show something that advice needs: its version, "
    "arguments, or accelerators. The message says what, and how to state it.",
    Reason.POLICY_NOT_FOUND: "A tier names a CostPolicy that its namespace lacks. Create it, or correct policyRef.name.",
    Reason.POLICY_ONLY_ADVISES: "A tier names a CostPolicy with targetRef, which has no Service of its own. Name the Deployment's "
    "Service as an external tier with baseURL.",
    Reason.NO_TOKEN_PRICE: "No price book prices the tokens of an external tier, so nothing is sent there by complexity. Add its "
    "provider and model to spec.tokenPrices of a PriceBook.",
    Reason.FALLBACK_CYCLE: "Fallbacks lead in a circle. Those that are usual are used until a tier is taken out.",
    Reason.ROUTER_SETTINGS_DIFFER: "An older route of this namespace names another master key, database, header or key of the "
    "same tenant. One router serves them all: make them the same. Until then this route is not served.",
    Reason.ROUTER_IMAGE_MISSING: "The operator was told no image of the router. Set router.image in the chart's values.",
    Reason.CONFIGURATION_TOO_LARGE: "The configuration of the namespace's router exceeds a ConfigMap. The one before stays in force: use "
    "fewer routes, or fewer calibrations, in one namespace.",
    Reason.SECRET_MISSING: "The router's pods wait for a Secret, or a key of one, that is not there; the message says which may be "
    "meant.",
    Reason.ROUTER_DIED: "A router's container ended by itself; the message holds its last words.",
    Reason.TIERS_ANSWER: "Every tier can answer.",
    Reason.TIER_NOT_READY: "The CostPolicy of a tier has no replica ready; its fallbacks answer.",
    Reason.THRESHOLDS_PROVEN: "Every threshold is proven, and the proofs hold today.",
    Reason.ROUTED: "Prompts that are proven simple enough go to tiers before the trusted one.",
    Reason.CALIBRATION_MISSING: "No calibration is named for a tier, or its ConfigMap is not there. `costpolicy route "
    "calibrate` makes one.",
    Reason.CALIBRATION_UNREADABLE: "The ConfigMap of a calibration is broken, or of another version. Calibrate again.",
    Reason.NOTHING_PROVEN: "Labels do not prove any threshold of a tier. The message says how many would be the least.",
    Reason.LOSS_NOT_ALLOWED: "A proof allows more loss than maxQualityLoss leaves to its tier. Calibrate with a smaller one.",
    Reason.EVIDENCE_STALE: "The labels of a proof are older than calibration.maxAge. Calibrate on new ones.",
    Reason.TRAFFIC_DRIFTED: "Prompts are not like those of the calibration any more. Label today's traffic and calibrate again.",
    Reason.QUALITY_LOST: "The newest labels of a proof show more loss than was allowed, or shortened requests are answered worse.",
    Reason.COMPRESSION_PROVEN: "Pairs of the trusted tier's answers show that shortened requests are answered no worse.",
    Reason.NOT_PROVEN: "Long requests are not shortened: too few pairs of answers show that this does no harm. The message says "
    "how many there are and how many are needed.",
    Reason.INFEASIBLE: "No configuration keeps every promise within every limit.",
    Reason.DOES_NOT_FIT: "The model does not fit into the memory of any accelerator that is allowed.",
    Reason.OBJECTIVE_UNREACHABLE: "No accelerator that is allowed is fast enough, even for a single request.",
    Reason.BUDGET_EXCEEDED: "The cheapest plan that keeps the promise costs more than the budget. It was not created.",
    Reason.NEEDS_MULTI_NODE: "Only a replica that spans nodes would do, which is not supported.",
    Reason.METRICS_FOUND: "Live metrics are fresh and sufficient.",
    Reason.NO_TRAFFIC: "Nothing has been asked of this model yet; the plan rests on spec.traffic or on an assumption.",
    Reason.NO_SAMPLES: "Prometheus answers but holds no series of this policy. Are its pods scraped?",
    Reason.PROMETHEUS_UNREACHABLE: "No connection to Prometheus.",
    Reason.PROMETHEUS_REFUSED: "Prometheus refused the query: check its address, credentials and limits.",
    Reason.PROMETHEUS_TIMEOUT: "Prometheus did not answer in time.",
    Reason.BAD_RESPONSE: "What answered is not Prometheus, or its answer could not be understood.",
    Reason.RULES_MISSING: "The recording rules of the chart are not loaded into this Prometheus.",
    Reason.RETENTION_TOO_SHORT: "Prometheus keeps less than two measurement windows of history.",
    Reason.RESOLUTION_TOO_COARSE: "The objective lies inside a histogram bucket, so that keeping it cannot be seen.",
    Reason.NOT_STATED: "An audit needs something that no metric says; the message says what to state.",
    Reason.OBJECTIVES_KEPT: "Observed latencies keep the objectives.",
    Reason.OBJECTIVE_MISSED: "An observed latency misses its objective.",
    Reason.MEASURED_PER_STEP: "No request finished of late; steps are measured too, but with speculation one yields several tokens.",
    Reason.WITHIN_BUDGET: "What runs costs no more than the budget.",
    Reason.OVER_BUDGET: "What runs costs more than the budget. It keeps serving with the fewest replicas promised.",
    Reason.NO_BUDGET: "The policy has no budget.",
    Reason.FORECAST_EXCEEDS_BUDGET: "The month will cost more than the monthly budget if it goes on like this. No replica is "
    "added beyond what is left an hour.",
    Reason.MONTHLY_BUDGET_SPENT: "The monthly budget is spent. What runs keeps serving with the fewest replicas promised.",
    Reason.NO_CHANGE_YET: "Nothing that can alter answers has been changed.",
    Reason.ACCEPTED_BY_USER: "A technique that can alter answers is Enabled: accepted by you, and not tested.",
    Reason.QUALITY_PROVEN: "What can alter answers was asked the same prompts as what served before, and is no worse.",
    Reason.CHANGE_MEASURED: "As much time has passed since a change as was measured before it; the message says what it saved.",
    Reason.CHANGE_DID_NOT_SAVE: "The same, and with 95 % confidence the change made requests dearer: undo it, as its receipt in "
    "status.history says.",
    Reason.STEADY: "No change of configuration is under way or wanted.",
    Reason.SURGING: "A replica of the new configuration starts beside those that serve.",
    Reason.SHARING: "The new configuration takes a share of the traffic and has to show that it keeps the promise.",
    Reason.REPLACING: "Replicas are replaced one by one, because no accelerator is spare.",
    Reason.ROLLED_BACK: "The new configuration was worse and the former one serves again.",
    Reason.CANARY_NEVER_READY: "No replica of the new configuration was ready for two hours, or not all of a stage for a day: it was "
    "withdrawn.",
    Reason.CANARY_MISSES_OBJECTIVE: "The new configuration missed an objective that what serves kept, and was withdrawn.",
    Reason.CANARY_FAILS_REQUESTS: "The new configuration failed more requests than what serves, and was withdrawn.",
    Reason.CANARY_INCONCLUSIVE: "The new configuration could not be judged for a day (no metrics, too few requests, or both "
    "miss the objective), and was withdrawn.",
    Reason.CANARY_NOT_CHEAPER: "The new configuration is no longer cheaper for the load of now, and was withdrawn.",
    Reason.CANARY_UNSCHEDULABLE: "The first replica of the new configuration found no node and was withdrawn.",
    Reason.NO_SPARE_GPU: "No accelerator is spare for a change, and one replica cannot be replaced without "
    "downtime. "
    "Free one, or set rollout.allowDowntime.",
    Reason.HOLD_UNTIL: "The annotation costpolicy.dev/hold-until forbids changes until its time.",
    Reason.OUTSIDE_WINDOW: "A change waits for the next maintenance window.",
    Reason.IN_TRANSITION: "A change waits until all replicas that serve are ready; after 30 minutes it waits no longer.",
    Reason.OTHERS_CHANGING: "As many policies change their configuration as may do so at the same time.",
    Reason.REVALIDATING: "A better plan was found moments ago and has to stand for some minutes before it is begun.",
    Reason.METRICS_STALE: "A better plan exists, but the demand is not measured at the moment: nothing is changed on a guess.",
    Reason.COOLING_DOWN: "The last change of configuration was less than rollout.cooldown ago.",
    Reason.SAVING_TOO_SMALL: "A better plan saves less than rollout.minimumSavings.",
    Reason.DOES_NOT_PAY_BACK: "A better plan would not pay for its own disruption within rollout.paybackHorizon.",
    Reason.SPOT_LOST: "Replicas on Spot lost their nodes, or were told that they will; replicas of the same plan on demand stand "
    "in.",
    Reason.SPOT_BACK: "Spot capacity carries everything again, and has for a while; no replica on demand stands in.",
    Reason.NEEDS_QUALITY_GATE: "A cheaper configuration may alter answers. State quality.evaluation.prompts to have it "
    "tested, or set its technique to Enabled to accept that.",
    Reason.EVALUATION_RUNNING: "Prompts are asked, to see whether a cheaper configuration answers no worse.",
    Reason.EVALUATION_FAILED: "The prompts could not be asked; the message repeats what the Job's pod said. Mend it and delete "
    "the Job to have it tried at once, or wait for a day.",
    Reason.EVALUATION_TOO_SMALL: "The prompts cannot show that no more than quality.maxLoss is lost; the message says how many "
    "would. Give them under another name, or raise quality.maxLoss.",
    Reason.EVALUATION_INCONCLUSIVE: "A cheaper configuration was neither shown to be no worse nor to be worse, and was withdrawn. "
    "It is not asked the same prompts again.",
    Reason.QUALITY_INFERIOR: "A cheaper configuration lost more answers than quality.maxLoss allows, and was withdrawn.",
    Reason.SUPERSEDED: "The change was given up because the policy was edited again.",
    Reason.ROLLOUT_STARTED: "Another configuration starts beside what serves.",
    Reason.PROMOTED: "The new configuration serves and the former one goes.",
    Reason.SCALED: "The number of replicas was changed to follow the load or a schedule.",
    Reason.CHEAPER_ELSEWHERE: "Prices, stock or load changed, and another accelerator would now cost less than what serves.",
    Reason.AUTOSCALED: "An autoscaler follows the load, between the bounds that the operator sets.",
    Reason.SCALING_UNAVAILABLE: "The autoscaler that scaling.provider asks for does not follow the load: its kind, its metrics or its "
    "controller is missing. The operator follows it meanwhile.",
    Reason.FOREIGN_AUTOSCALER: "Somebody else's autoscaler writes the replicas of a Deployment of this policy. They are left to it: "
    "delete it, or set scaling.provider and let the operator make one.",
    Reason.ACCELERATOR_NOT_ALLOWED: "hardware.accelerators does not name it.",
    Reason.CAPACITY_TYPE_NOT_ALLOWED: "hardware.capacityTypes does not name it; Spot only counts when named.",
    Reason.CONTEXT_DOES_NOT_FIT: "The longest sequence does not fit beside the weights. Lower model.contextLength.",
    Reason.FORMAT_UNSUPPORTED: "The accelerator or this vLLM version does not support the number format.",
    Reason.NEEDS_CHECKPOINT: "The engine cannot make this format while loading. Name one in model.checkpoints.",
    Reason.TENSOR_PARALLEL_SHAPE: "The model's heads cannot be shared out evenly over that many accelerators.",
    Reason.MAX_ACCELERATORS: "It needs more accelerators than hardware.maxAccelerators.",
    Reason.MAX_REPLICAS: "It needs more replicas than scaling.maxReplicas.",
    Reason.METHOD_UNSUPPORTED: "This vLLM version has no such speculative decoding, or it lacks the model that proposes.",
    Reason.SPECULATION_NOT_NEEDED: "Speculative decoding in mode Auto is for a missed inter-token latency only.",
}
"""What each reason says, and what can be done; ``docs/reference/conditions.md`` is generated from it."""
