// Every resource's name, made of what does not change, so that modules can find each other's resources by name and a second environment
// stands beside the first.

@export()
@description('The names of all resources of one environment.')
func namesOf(token string) object => {
  storage: 'st${token}'
  modelsStorage: 'stm${token}'
  serviceBus: 'sb-${token}'
  uploadEvents: 'evgs-${token}'
  completionEvents: 'evgt-${token}'
  plan: 'plan-${token}'
  functions: 'func-${token}'
  functionsIdentity: 'id-functions-${token}'
  workerIdentity: 'id-worker-${token}'
  scalerIdentity: 'id-scaler-${token}'
  eventsIdentity: 'id-events-${token}'
  workspace: 'log-${token}'
  insights: 'appi-${token}'
  workbook: guid('sdxl-workbook', token)
  actions: 'ag-${token}'
  scheduler: 'dts-${token}'
  registry: 'cr${token}'
  containerEnvironment: 'cae-${token}'
  workerJob: 'job-worker-${token}'
  cluster: 'aks-${token}'
}

@export()
@description('Ids of the built-in roles that are given here.')
var roles = {
  acrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
  blobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  blobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  durableTaskDataContributor: '0ad04412-c4d5-4796-b79c-f76d14c8d402'
  eventGridDataSender: 'd5a91429-5739-47e2-a06b-3470a27159e7'
  filePrivilegedContributor: '69566ab7-960f-475b-8e7c-b3118f30c6bd'
  metricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  queueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  serviceBusDataOwner: '090c5cfd-751d-490a-894a-3ce6f1109419'
  serviceBusDataReceiver: '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0'
  serviceBusDataSender: '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39'
  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}
